"""A visitor's session begun quickly: Gradio describes every component of every page anew for each visit."""

from __future__ import annotations

from typing import Any, cast

from gradio.blocks import Blocks
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

POLL = 0.01  # seconds; Gradio looks a thousand times a second whether a page asks for something, in every app


class _Unfilled:
    """An app as `SessionState` reads it, with no component to describe."""

    def __init__(self, blocks: Blocks) -> None:
        self.default_config = blocks.default_config
        self.blocks: dict[int, Any] = {}


class QuickSession(SessionState):
    """A session whose components were described once, for all visitors; what it changes of them is its own."""

    def __init__(self, blocks: Blocks, described: dict[int, dict[str, Any]]) -> None:
        super().__init__(cast(Blocks, _Unfilled(blocks)))
        self.config_values = {key: {**config, "props": {**config["props"]}} for key, config in described.items()}


class QuickSessions(StateHolder):
    """The sessions of an app whose components stand: fifty that begin at once do not hold each other up."""

    def __init__(self, blocks: Blocks) -> None:
        super().__init__()
        self.set_blocks(blocks)
        self._described = SessionState(blocks).config_values

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = QuickSession(self.blocks, self._described)
        return super().__getitem__(session_id)


def hasten(app: App) -> None:
    """Let an app of Gradio's, its pages built, begin sessions quickly and look for work less often."""
    blocks = app.get_blocks()
    app.state_holder = QuickSessions(blocks)
    blocks._queue.sleep_when_free = POLL
