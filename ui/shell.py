"""What every page of the desk begins with: name, navigation, language switch, who is signed in, the model's state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape as escape_html
from typing import Any

import gradio as gr
from babel.dates import format_date

from ui.links import escape
from ui.place import Place
from ui.strings import LOCALES

# How every event of a page is declared: no API of its own, no spinner over the components.
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
BLOCKS: dict[str, Any] = {"analytics_enabled": False, "delete_cache": (3600, 86400), "fill_width": True}


@dataclass(frozen=True)
class PageSpec:
    """A page of an app.

    Args:
        path: Its address below the app, empty for the first.
        key: Its name: a string of `strings/shell.toml`.
        fill: Puts the page into the surrounding blocks, below the bar.
    """

    path: str
    key: str
    fill: Callable[[Place], None]


def build(place: Place, pages: Sequence[PageSpec], beside: Sequence[tuple[str, str]] = ()) -> gr.Blocks:
    """One app of several pages, each under the bar, which leads to the apps `beside` as well: by key and path."""
    title = place.words("desk")["title"]
    with gr.Blocks(title=title, **BLOCKS) as app:
        _page(place, pages, pages[0], beside)
    for spec in pages[1:]:
        with app.route(place.words("shell")[spec.key], spec.path, show_in_navbar=False):
            _page(place, pages, spec, beside)
    return app


def _page(place: Place, pages: Sequence[PageSpec], current: PageSpec, beside: Sequence[tuple[str, str]]) -> None:
    gr.Navbar(visible=False)
    bar(place, pages, current, beside)
    with gr.Column(elem_id="content", elem_classes=f"page-{current.path or 'desk'}"):
        current.fill(place)


def bar(place: Place, pages: Sequence[PageSpec], current: PageSpec, beside: Sequence[tuple[str, str]] = ()) -> None:
    """The bar on top. Its links are ours alone; the shop's name, which is data, stands in sanitized Markdown."""
    with gr.Row(elem_id="bar"):
        gr.HTML(_mark(place, pages, current, beside), elem_id="nav", padding=False)
        where = gr.Markdown(_where(place), elem_id="where")
        model = gr.Markdown(elem_id="model")
        gr.HTML(switch_links(place, current.path), elem_id="switch", padding=False)
        person = gr.Markdown(elem_id="person", visible=place.accounts is not None)
    on_load = gr.context.Context.root_block
    assert on_load is not None
    on_load.load(partial(_where, place), None, where, **PRIVATE, queue=False)  # an import may have come since
    on_load.load(partial(_model_state, place), None, model, **PRIVATE, concurrency_limit=20)
    if place.accounts is not None:
        on_load.load(_person(place), None, person, **PRIVATE, queue=False)


def _where(place: Place) -> str:
    shop = place.desk.shop
    day = format_date(shop.cutoff, format="long", locale=place.locale)
    return f"{escape(shop.name)} · {place.words('shell')('data_up_to', day=day)}"


def _mark(place: Place, pages: Sequence[PageSpec], current: PageSpec, beside: Sequence[tuple[str, str]]) -> str:
    say = place.words("shell")
    links = "".join(
        f'<a href="./{page.path}"{" aria-current=page" if page is current else ""}>{escape_html(say[page.key])}</a>'
        for page in pages
    )
    links += "".join(f'<a href="{path}/{place.locale}/">{escape_html(say[key])}</a>' for key, path in beside)
    return (
        f'<a class="skip" href="#content">{escape_html(say["skip"])}</a>'
        f'<a class="mark" href="./">Debut</a><nav aria-label="{escape_html(say["pages"])}">{links}</nav>'
    )


def switch_links(place: Place, path: str) -> str:
    """The other languages, as links to the same page there; the script keeps what stands behind the question mark."""
    here = place.words("shell")["language"]
    links = "".join(
        f'<a class="locale" href="../{locale}/{path}" hreflang="{locale}" lang="{locale}">{name}</a>'
        for locale, name in LOCALES.items()
        if locale != place.locale
    )
    return f'<span class="unseen">{escape_html(here)}</span>{links}'


def _model_state(place: Place) -> Iterator[str]:
    say, desk = place.words("shell"), place.desk
    name = escape(desk.model_name)
    if not desk.is_ready:
        yield f"{name} · {say['loading']}"
    state = f"{name} · {say['ready' if desk.model_or_none() else 'not_available']}"
    if desk.is_learning:
        yield f"{state} · {say['learning']}"
        desk.wait_until_learned()
    yield state


def _person(place: Place) -> Callable[[gr.Request], str]:
    def person(request: gr.Request) -> str:
        return f"{escape(place.account(request).name)} · [{place.words('shell')['sign_out']}](/sign-out)"

    return person
