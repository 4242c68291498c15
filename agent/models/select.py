"""From one setting to a chat model: `embedded`, `embedded:ADAPTER`, `hf:NAME`, `openai:URL#NAME`, or a list of these.

`embedded` has the adapter that ships, `embedded:none` has none.

Torch, transformers and the OpenAI client are imported where a model is opened: they take seconds and hundreds of
megabytes, and the command line, the tools and a brief without a model need none of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, ModelProfile
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from agent.models.adapters import Adapter, read_adapter, read_sureness
from agent.models.binding import ToolChatModel
from agent.models.engine import Engine
from shop import BadInput, ToolError

REST_SECONDS = 60.0
SHIPPED, NO_ADAPTER = "embedded", "none"
ADAPTERS = Path(__file__).parents[2] / "adapters"
Result = TypeVar("Result")
SERVER = "openai:"  # the only kind without our grammar
FORMS = "embedded, embedded:ADAPTER, hf:NAME or openai:URL#NAME"
EMBEDDED_MEGABYTES = 1100  # peak of the embedded model in OpenVINO, as `./debut bench llm` measures it, and some room
TORCH_MEGABYTES = 400


def open_model(setting: str, home: Path, api_key: str = "") -> BaseChatModel:
    """The chat model that a setting names.

    Args:
        setting: One of the forms above, or several separated by commas: each is used while the ones before it fail.
        home: Folder for converted weights.
        api_key: For servers that want one.

    Raises:
        BadInput: The setting is no such form, or its model cannot be loaded. One of several is opened at its first
            use, so there the error comes from the call, and only when all of them fail.
    """
    parts = [part.strip() for part in setting.split(",") if part.strip()]
    openers = [_opener(part, home, api_key) for part in parts]
    if not openers:
        raise BadInput(f"No model is named; set DEBUT_MODEL to {FORMS}.")
    if len(openers) == 1:
        return openers[0]()
    held = not any(part.startswith(SERVER) for part in parts)
    return FirstThatWorks(openers, cannot_type_figures=held, is_tuned=all(_is_tuned(part) for part in parts))


def environment(setting: str) -> dict[str, str]:
    """Environment variables for the entry point to set before anything is imported: no telemetry, no bars, no hub.

    Only a model that is named on a hub may reach it.
    """
    local = all(not part.strip().startswith("hf:") or Path(part.strip()[3:]).exists() for part in setting.split(","))
    quiet = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",  # the libraries' bars; ours are the command line's own
    }
    return {**quiet, "HF_HUB_OFFLINE": "1"} if local else quiet


def _is_tuned(part: str) -> bool:
    """Whether the model of a setting chooses among tools itself; the embedded one without an adapter does not."""
    kind, _, adapter = part.partition(":")
    return kind != "embedded" or _adapter_folder(adapter) is not None


def _opener(part: str, home: Path, api_key: str) -> Callable[[], BaseChatModel]:
    kind, _, rest = part.partition(":")
    if part == "embedded" or (kind == "embedded" and rest):
        return partial(_embedded, home, rest)
    if kind == "hf" and rest:
        return partial(_hub, rest)
    address, _, name = rest.rpartition("#")
    if kind == "openai" and address.startswith(("http://", "https://")) and name:
        return partial(_server, address, name, api_key)
    raise BadInput(f"The model {part!r} is not one of {FORMS}; set DEBUT_MODEL to one of them.")


def _embedded(home: Path, name: str) -> BaseChatModel:
    """The embedded model, in OpenVINO where that is installed, with an adapter merged into it."""
    from agent.models import weights

    weights.require_memory(EMBEDDED_MEGABYTES, weights.EMBEDDED.name)
    folder = _adapter_folder(name)
    adapter = read_adapter(folder, weights.EMBEDDED.sha256) if folder else None
    called = weights.EMBEDDED.name + (f"+{folder.name}" if folder else "")
    if find_spec("openvino_genai") is None:
        source = weights.prepare_merged(home, folder) if folder else weights.prepare(home)
        return _local(source, called, offline=True, is_tuned=adapter is not None, adapter=adapter)
    compiled = weights.prepare_compiled_merged(home, folder) if folder else weights.prepare_compiled(home)
    from agent.models.openvino_backend import load

    return _chat(load(compiled, called), adapter is not None, adapter)


def _adapter_folder(name: str) -> Path | None:
    """A folder, or the name of one of the adapters that ship; without a name the one made for this model, if any."""
    if name == NO_ADAPTER:
        return None
    if not name:
        return ADAPTERS / SHIPPED if (ADAPTERS / SHIPPED).is_dir() else None
    return Path(name) if Path(name).is_dir() else ADAPTERS / name


def _hub(name: str) -> BaseChatModel:
    return _local(name, name, offline=Path(name).exists())


def _local(
    source: str | Path, name: str, offline: bool, is_tuned: bool = True, adapter: Adapter | None = None
) -> BaseChatModel:
    from agent.models.weights import require_memory

    stored = sum(path.stat().st_size for path in Path(source).glob("*.safetensors")) // 2**20
    # Weights may be widened from 16 to 32 bits where they are loaded; torch itself takes the rest.
    require_memory(2 * stored + TORCH_MEGABYTES, name)
    from agent.models.transformers_backend import load

    return _chat(load(source, name, offline), is_tuned, adapter)


def _chat(engine: Engine, is_tuned: bool, adapter: Adapter | None) -> BaseChatModel:
    from agent.models.chat import LocalChatModel

    sureness = read_sureness(adapter.folder) if adapter else None
    return LocalChatModel(engine=engine, is_tuned=is_tuned, adapter=adapter, sureness=sureness)


def _server(address: str, name: str, api_key: str) -> BaseChatModel:
    from agent.models.server import open_server

    return open_server(address, name, api_key)


class FirstThatWorks(ToolChatModel):
    """Several models in order of preference: a call goes to the first that does not fail with a `ToolError`.

    One that failed rests for a minute, so that a server that is down is not waited for on every call. Once a reply has
    begun to stream there is no going back: an error then ends it.

    Args:
        openers: Open the choices, at their first use.
        cannot_type_figures: Whether none of them can write a figure of its own.
        is_tuned: Whether all of them choose among tools themselves.
    """

    _openers: list[Callable[[], BaseChatModel]] = PrivateAttr()
    _opened: dict[int, BaseChatModel] = PrivateAttr(default_factory=dict)
    _rests_until: dict[int, float] = PrivateAttr(default_factory=dict)
    _cannot_type_figures: bool = PrivateAttr()
    _is_tuned: bool = PrivateAttr()

    def __init__(
        self,
        openers: Sequence[Callable[[], BaseChatModel]],
        cannot_type_figures: bool = False,
        is_tuned: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._openers = list(openers)
        self._cannot_type_figures = cannot_type_figures
        self._is_tuned = is_tuned

    @property
    def is_tuned(self) -> bool:
        """Whether whichever answers chooses among the tools: one that does not needs the tool picked for it."""
        return self._is_tuned

    @property
    def cannot_type_figures(self) -> bool:
        """Whether every choice is held by a grammar, so that what streams may be shown whichever answers."""
        return self._cannot_type_figures

    @property
    def takes_turns(self) -> bool:
        """Calls take the local model's keywords; a choice that has no use for them leaves them out."""
        return True

    @property
    def _llm_type(self) -> str:
        return "debut-first-that-works"

    def _resolve_model_profile(self) -> ModelProfile:
        return ModelProfile(tool_calling=True, tool_choice=True, structured_output=False)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return next(self._try(lambda model: iter([model._generate(messages, stop, run_manager, **kwargs)])))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        return self._try(lambda model: model._stream(messages, stop, run_manager, **kwargs))

    def _try(self, use: Callable[[BaseChatModel], Iterator[Result]]) -> Iterator[Result]:
        reasons = []
        for number in self._order():
            begun = False
            try:
                for result in use(self._model(number)):
                    begun = True
                    yield result
                return
            except ToolError as error:
                self._rests_until[number] = time.monotonic() + REST_SECONDS
                if begun:
                    raise
                reasons.append(str(error))
        raise ToolError(" ".join(reasons))

    def _order(self) -> list[int]:
        """Choices that are not resting, in order of preference, then the others."""
        now = time.monotonic()
        return sorted(range(len(self._openers)), key=lambda n: (self._rests_until.get(n, 0.0) > now, n))

    def _model(self, number: int) -> BaseChatModel:
        if number not in self._opened:
            self._opened[number] = self._openers[number]()
        return self._opened[number]
