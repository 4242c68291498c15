"""The row below a conversation: the box for the next message, and the button for a new conversation."""

from __future__ import annotations

import gradio as gr

from ui.strings import Words

LONGEST = 4000  # characters of a message


def message_row(say: Words) -> tuple[gr.Textbox, gr.Button]:
    """Put the row into the surrounding blocks; `say` has `message`, `message_hint` and `new`."""
    with gr.Row(elem_id="say", equal_height=True):
        message = gr.Textbox(
            placeholder=say["message_hint"],
            show_label=False,
            label=say["message"],
            container=False,
            autofocus=True,
            max_length=LONGEST,
            max_lines=6,
            submit_btn=True,
            stop_btn=False,
            elem_id="message",
            scale=8,
        )
        fresh = gr.Button(say["new"], size="sm", elem_id="fresh", scale=0, min_width=64)
    return message, fresh
