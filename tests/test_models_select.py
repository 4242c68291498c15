"""From a setting to a model, with real servers on the loopback that are down, slow, rude or confused."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage
from tiny_model import tiny_engine, tiny_tokenizer

from agent.models.select import FirstThatWorks, environment, open_model
from agent.models.server import open_server
from agent.models.template import Call
from agent.scripted import ScriptedChatModel
from shop import BadInput, ToolError

ROOT = Path(__file__).parents[1]
QUICK = httpx.Timeout(0.5)


def list_orders() -> str:
    """List orders."""
    return "none"


@contextmanager
def server(
    status: int, body: bytes, kind: str = "application/json", wait: threading.Event | None = None
) -> Iterator[Any]:
    """A server that gives one answer to everything; yields its address and the requests it saw."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append({**json.loads(self.rfile.read(int(self.headers["Content-Length"]))), "_headers": self.headers})
            if wait:
                wait.wait(5)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1", seen
    finally:
        running.shutdown()
        running.server_close()


def completion(**message: Any) -> bytes:
    reply = {"role": "assistant", "content": None, **message}
    choices = [{"index": 0, "finish_reason": "stop", "message": reply}]
    return json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": choices}).encode()


def events(*deltas: dict[str, Any]) -> bytes:
    lines = [{"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": d}]} for d in deltas]
    return "".join(f"data: {json.dumps(line)}\n\n" for line in lines).encode() + b"data: [DONE]\n\n"


def test_a_server_answers_with_text_and_calls(tmp_path: Path) -> None:
    with server(200, completion(content="Hello.")) as (address, seen):
        assert open_model(f"openai:{address}#qwen", tmp_path, api_key="secret").invoke("Hi").text == "Hello."
        assert seen[0]["model"] == "qwen"
        assert seen[0]["_headers"]["Authorization"] == "Bearer secret"
    call = {"id": "c1", "type": "function", "function": {"name": "list_orders", "arguments": "{}"}}
    with server(200, completion(tool_calls=[call])) as (address, seen):
        model = FirstThatWorks([lambda: open_server(address, "m")])
        for choice, sent in [
            ("any", "required"),
            ("list_orders", {"type": "function", "function": {"name": "list_orders"}}),
        ]:
            reply = model.bind_tools([list_orders], tool_choice=choice).bind(figures=["a.b"]).invoke("My orders?")
            assert isinstance(reply, AIMessage)
            assert reply.tool_calls[0]["name"] == "list_orders"
            assert seen[-1]["tool_choice"] == sent
            assert "figures" not in seen[-1]


def test_a_server_streams_until_cancelled() -> None:
    body = events({"role": "assistant", "content": "One"}, {"content": " two"}, {"content": " three"})
    with server(200, body, "text/event-stream") as (address, _):
        assert "".join(str(c.text) for c in open_server(address, "m").stream("Hi")) == "One two three"
        cancelled = threading.Event()
        cancelled.set()
        assert "three" not in "".join(str(c.text) for c in open_server(address, "m").stream("Hi", cancelled=cancelled))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>Welcome to my router</html>"),
        (200, b"{broken"),
        (200, b"{}"),
        (200, b"[1]"),
        (200, b""),
        (200, b'{"choices": []}'),
        (200, b'{"choices": [{}]}'),
        (200, b'{"error": {"message": "no"}}'),
        (404, b'{"error": "no such model"}'),
        (401, b"{}"),
        (500, b"trace"),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/event-stream"])
def test_whatever_a_server_answers_it_is_one_sentence(status: int, body: bytes, kind: str) -> None:
    with server(status, body, kind) as (address, _):
        model = open_server(address, "m", timeout=QUICK)
        for ask in (model.invoke, lambda question: list(model.stream(question))):
            with pytest.raises(ToolError, match=rf"^The model server at {address} [^\n]*\.$"):
                ask("Hi")


def test_a_server_that_is_down_or_silent_is_one_sentence() -> None:
    with server(200, b"") as (address, _):
        pass
    with pytest.raises(ToolError, match="cannot be reached; start it"):
        open_server(address, "m").invoke("Hi")
    never = threading.Event()
    with server(200, b"", wait=never) as (address, _):
        with pytest.raises(ToolError, match="did not answer in time"):
            open_server(address, "m", timeout=QUICK).invoke("Hi")
        never.set()


def test_the_next_choice_answers_when_one_fails_and_the_failed_one_rests() -> None:
    opened = []

    def broken() -> Any:
        opened.append("broken")
        raise BadInput("No weights; install them.")

    down = ScriptedChatModel(replies=[ToolError("Server down; start it."), "back again"])
    last = ScriptedChatModel(replies=["from the last", [Call("list_orders", {})]])
    model = FirstThatWorks([broken, lambda: down, lambda: last])
    assert model.invoke("Hi").text == "from the last"
    assert [call["name"] for call in model.bind_tools([list_orders]).invoke("Hi").tool_calls] == ["list_orders"]
    assert (opened, len(down.asked), [asked.tools for asked in last.asked]) == (["broken"], 1, [[], ["list_orders"]])


def test_when_every_choice_fails_all_reasons_are_given() -> None:
    one, two = (ScriptedChatModel(replies=[ToolError(text)] * 2) for text in ("First is down.", "Second too."))
    model = FirstThatWorks([lambda: one, lambda: two])
    with pytest.raises(ToolError, match=r"^First is down\. Second too\.$"):
        model.invoke("Hi")
    with pytest.raises(ToolError):
        list(model.stream("Hi"))


@pytest.mark.parametrize(
    ("setting", "held"),
    [
        ("hf:a, embedded", True),
        ("embedded,embedded:mine", True),
        ("openai:http://127.0.0.1:9#m,embedded", False),
        ("embedded, openai:http://127.0.0.1:9#m", False),
    ],
)
def test_several_choices_stream_only_if_none_can_type_a_figure(setting: str, held: bool, tmp_path: Path) -> None:
    assert open_model(setting, tmp_path).cannot_type_figures is held  # type: ignore[attr-defined]


def test_a_bug_in_a_model_is_not_taken_for_a_failed_choice() -> None:
    model = FirstThatWorks(
        [lambda: ScriptedChatModel(replies=[ZeroDivisionError()]), lambda: ScriptedChatModel(replies=["x"])]
    )
    with pytest.raises(ZeroDivisionError):
        model.invoke("Hi")


def test_several_choices_are_opened_when_needed(tmp_path: Path) -> None:
    with server(200, completion(content="Hello.")) as (address, _):
        body = events({"role": "assistant", "content": "Streamed."})
        with server(200, body, "text/event-stream") as (streaming, _):
            model = open_model(f"hf:{tmp_path}/nothing, openai:{address}#m", tmp_path)
            assert model.invoke("Hi").text == "Hello."
            model = open_model(f"hf:{tmp_path}/nothing,openai:{streaming}#m", tmp_path)
            assert "".join(str(chunk.text) for chunk in model.stream("Hi")) == "Streamed."


def test_a_folder_with_a_model_opens_by_name(tmp_path: Path) -> None:
    engine = tiny_engine()
    engine.backend.model.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    model = open_model(f"hf:{tmp_path}", tmp_path)
    bound = model.bind_tools([list_orders], tool_choice="any")
    assert [call["name"] for call in bound.invoke("Hi").tool_calls] == ["list_orders"]


@pytest.mark.parametrize(
    "setting", ["", " , ", "gpt", "openai:127.0.0.1#m", "openai:http://127.0.0.1/v1", "hf:", "embedded:"]
)
def test_a_setting_that_is_none_is_one_sentence(setting: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"embedded, embedded:ADAPTER, hf:NAME or openai:URL#NAME"):
        open_model(setting, tmp_path)


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot be loaded [^\n]*check DEBUT_MODEL\.$"):
        open_model(f"hf:{tmp_path}", tmp_path)


def test_only_a_hub_name_may_reach_the_hub(tmp_path: Path) -> None:
    assert environment("embedded")["HF_HUB_OFFLINE"] == "1"
    assert environment(f"openai:http://127.0.0.1/v1#m, hf:{tmp_path}")["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in environment("embedded,hf:org/name")
    assert environment("hf:org/name")["HF_HUB_DISABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize(
    ("setting", "tuned"), [("embedded:none,hf:x", False), ("hf:x,openai:http://localhost#m", True)]
)
def test_a_list_chooses_tools_itself_where_each_of_its_models_does(setting: str, tuned: bool, tmp_path: Path) -> None:
    assert open_model(setting, tmp_path).is_tuned is tuned  # type: ignore[attr-defined]


def test_choosing_a_model_loads_no_torch_and_no_client() -> None:
    heavy = ["torch", "transformers", "openai", "llguidance"]
    code = f"import sys, agent.models.select; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_model_calls_a_tool_and_answers(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    model = open_model("embedded", home)
    call = model.bind_tools([list_orders], tool_choice="any").invoke("What did I order?")
    assert [each["name"] for each in call.tool_calls] == ["list_orders"]
    reply = model.invoke("Say hello to a shop manager in one short sentence.", max_tokens=40)
    assert reply.text
    folder = next(path for path in (home / "models").iterdir() if path.is_dir())
    made = folder.stat().st_mtime_ns
    open_model("embedded", home)
    assert folder.stat().st_mtime_ns == made
