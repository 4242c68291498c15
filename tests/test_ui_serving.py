"""What stands between Gradio and the browser: the page's language in the document, and sessions begun quickly."""

from __future__ import annotations

from typing import Any

import fastapi
import gradio as gr
import pytest
from gradio.state_holder import SessionState
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.testclient import TestClient

from ui.sessions import QuickSession, hasten
from ui.tongue import PageLanguage

PAGE = '<!doctype html>\n<html lang="en">\n<head>\n<title>é</title></head></html>'


@pytest.fixture
def client() -> TestClient:
    server = fastapi.FastAPI(middleware=[Middleware(PageLanguage)])
    for path in ("/en/shop", "/zh/shop", "/sign-in"):
        server.add_api_route(path, lambda: HTMLResponse(PAGE))
    server.add_api_route("/zh/config", lambda: JSONResponse({"head": "<head>"}))
    return TestClient(server)


@pytest.mark.parametrize(("path", "tongue"), [("/en/shop", "en"), ("/zh/shop", "zh-CN")])
def test_a_page_says_its_language_before_any_other_script(client: TestClient, path: str, tongue: str) -> None:
    page = client.get(path)
    assert f'<html lang="{tongue}">' in page.text
    assert page.text.index(f'get:()=>"{tongue}"') < page.text.index("<title>é")
    assert int(page.headers["content-length"]) == len(page.content)


def test_what_is_no_page_of_a_language_is_left_as_it_is(client: TestClient) -> None:
    assert client.get("/sign-in").text == PAGE
    assert client.get("/zh/config").json() == {"head": "<head>"}


def test_a_quick_session_is_what_gradio_would_have_made_and_shares_nothing() -> None:
    with gr.Blocks() as blocks:
        said = gr.Textbox("before", label="Said")
        kept = gr.State([])
    server = fastapi.FastAPI()
    gr.mount_gradio_app(server, blocks, "/en")
    app: Any = server.routes[-1].app  # type: ignore[attr-defined]
    hasten(app)
    one, two = app.state_holder["one"], app.state_holder["two"]
    assert isinstance(one, QuickSession)
    assert one.config_values == SessionState(blocks).config_values
    one._update_value_in_config(said._id, "after")
    one[kept._id] = ["mine"]
    assert two.config_values[said._id]["props"]["value"] == "before"
    assert two[kept._id] == []
    assert app.state_holder["one"] is one
    assert blocks.state_holder is app.state_holder
