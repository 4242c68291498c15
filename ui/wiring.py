"""Puts the house together for one acting person: which shop, which model, which tools, one assistant."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from agent.ledger import Ledger
from shop import Actor, BadInput, Figure, Shop, ToolError, ToolResult
from shop.learned import Learned
from shop.session import Session
from ui.settings import SHORT_NAMES, Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from agent.assistant import Assistant, Event
    from agent.brief.compile import Progress
    from agent.brief.types import Brief
    from agent.shortlist import Shortlist
    from retrieval.embed import Embedder
    from tools.registry import BoundTool
    from ui.briefs import Wanted
    from ui.strings import Locale, Words

MANAGER = Actor(role="manager", id="manager")
MOST_SEATS = 200  # people whose assistant is kept ready; the one who asked least recently gives hers up
LoadModel = Callable[[], "BaseChatModel"]
LoadEmbedder = Callable[[], "Embedder"]


def shop_url(settings: Settings) -> str:
    """The shop to work on: the one that DEBUT_SHOP names, else the user's own once it holds data, else the demo."""
    if settings.shop in SHORT_NAMES:
        return settings.default_url(settings.shop)
    if settings.shop:
        return settings.shop
    own = settings.default_url("own")
    return own if holds_products(own) else settings.default_url("demo")


def import_url(settings: Settings) -> str:
    """Where imported data goes: never into a demo shop, because invented and real sales must not mix.

    Raises:
        BadInput: DEBUT_SHOP names a demo shop.
    """
    url = shop_url(settings) if settings.shop else settings.default_url("own")
    if settings.shop == "demo" or is_demo(url):
        raise BadInput(
            "DEBUT_SHOP names a demo shop, and invented sales must not mix with yours; leave it out, or name a "
            "database of your own: `DEBUT_SHOP=sqlite:///my-shop.db ./debut import …`."
        )
    return url


def open_shop(settings: Settings) -> Shop:
    """The shop to work on; what tools learn from it is kept beside the weights."""
    return Shop.open(shop_url(settings)).remembering(Learned(settings.home / "learned"))


def shown_url(url: str) -> str:
    """An address as it may be printed: without a password."""
    return make_url(url).render_as_string(hide_password=True)


def shop_line(shop: Shop) -> str:
    """One line that says which shop is in use."""
    return f"Shop: {shop.name}, data up to {shop.cutoff}."


def describe_shop(url: str) -> dict[str, Any]:
    """Which shop stands at an address, as plain values."""
    shop = Shop.open(url)
    return {
        "name": shop.name,
        "address": shown_url(url),
        "kind": "demo" if is_demo(url) else "own",
        "currency": shop.currency,
        "data_up_to": shop.cutoff.isoformat(),
        "products": len(shop.products()),
        "drafts": len(shop.drafts()),
    }


def is_demo(url: str) -> bool:
    """Whether a demo shop stands at this address."""
    try:
        return Shop.open(url).meta("demo_seed") != ""
    except BadInput:
        return False


def holds_products(url: str) -> bool:
    """Whether a shop with products stands at this address."""
    try:
        return not Shop.open(url).categories().empty or not Shop.open(url).products().empty
    except BadInput:
        return False


def learn_beforehand(shop: Shop, report: Callable[[str], None]) -> None:
    """Learn now what the first questions would wait for; nothing where there is nothing to learn from yet."""
    from tools.elasticity.read import shop_elasticities
    from tools.launch.learning import study_of_shop

    lessons: dict[str, Callable[[Shop], object]] = {
        "learning from past launches …": study_of_shop,
        "learning how demand answers to prices …": shop_elasticities,
    }
    for line, learn in lessons.items():
        report(line)
        try:
            learn(shop)
        except ToolError:  # no sales yet
            return


class _Common:
    """What all who sit at a desk share: the model and its loading, and what is being learned."""

    def __init__(self, load_model: LoadModel, load_embedder: LoadEmbedder | None) -> None:
        self.load_model = load_model
        self.load_embedder = load_embedder
        self.loading: Future[BaseChatModel] | None = None
        self.lock = threading.Lock()
        self.learned = threading.Event()
        self.learned.set()
        self.learning = ""
        self.lessons = 0  # that were asked for and are not over
        self.learns = threading.Lock()  # one lesson at a time: an import may come while the start still learns
        self.seats: OrderedDict[tuple[str, Locale], Desk] = OrderedDict()
        self.shortlist: Shortlist | None = None
        self.shortlist_lock = threading.Lock()


class Desk:
    """A shop, a language model that loads in the background once asked to, and the assistant between them.

    Args:
        shop: The shop to work on.
        load_model: Returns the chat model, or raises a `ToolError` that says why there is none.
        model_name: What the page calls the model.
        load_embedder: Returns the text embedder that helps to find the tool for a question; without one, words do.
    """

    def __init__(
        self, shop: Shop, load_model: LoadModel, model_name: str, load_embedder: LoadEmbedder | None = None
    ) -> None:
        self.shop = shop
        self.model_name = model_name
        self.locale: Locale = "en"
        self._common = _Common(load_model, load_embedder)
        self._lock = threading.Lock()
        self._assistant: Assistant | None = None

    @property
    def learning(self) -> str:
        """What is being learned at this moment; empty where nothing is."""
        return self._common.learning

    @property
    def is_learning(self) -> bool:
        """Whether something that was begun to be learned is not over."""
        return not self._common.learned.is_set()

    def acting_as(self, session: Session, locale: Locale = "en") -> Desk:
        """The desk in a person's hands: her tools act as her, her conversations are hers, the model is everybody's.

        What she has written on a page, such as a brief, is written in the page's language.
        """
        common, place = self._common, (session.person, locale)
        with common.lock:
            seat = common.seats.pop(place, None)
            if seat is None or seat.shop.acting.role != session.role:
                seat = copy(self)
                seat.__dict__.pop("tools", None)
                seat._lock = threading.Lock()
                seat._assistant = None
                seat.locale = locale
                seat.shop = self.shop.acting_as(session)
            common.seats[place] = seat
            while len(common.seats) > MOST_SEATS:
                common.seats.popitem(last=False)
            return seat

    @classmethod
    def open(cls, settings: Settings) -> Desk:
        """The desk that the settings describe."""
        from retrieval.library import Library

        shop = open_shop(settings)
        library = Library(shop.engine, settings.home, settings.embedder, settings.reranker, settings.image_embedder)
        shop = shop.searched_by(library)

        def load() -> BaseChatModel:
            from agent.models.select import open_model

            return open_model(settings.model, settings.home, settings.api_key)

        def load_embedder() -> Embedder:
            from retrieval.embed import open_embedder

            return open_embedder(settings.home)

        return cls(shop, load, settings.model, load_embedder)

    def renew(self, settings: Settings) -> None:
        """Take up the shop that the settings name by now, such as one just imported, for everybody who sits here.

        Conversations that are open go on with what was kept of them.
        """
        shop = Desk.open(settings).shop
        with self._common.lock:
            self.shop = shop
            self.__dict__.pop("tools", None)
            self._common.seats.clear()

    def load(self) -> Future[BaseChatModel]:
        """Start loading the model, if that has not been started, and go on."""
        common = self._common
        with common.lock:
            if common.loading is None:
                common.loading = ThreadPoolExecutor(1, "model").submit(common.load_model)
            return common.loading

    def learn(self, index: bool = False) -> None:
        """Learn from the shop what the first questions would wait for; one that comes meanwhile shares it.

        With `index`, bring the search index up to date first.

        Raises:
            BadInput: The index cannot be brought up to date; the rest is learned.
        """
        self.lesson(index)()

    def lesson(self, index: bool = False) -> Callable[[], None]:
        """The job of `learn`, for whoever runs it later: from now on the desk is learning, until it has run."""
        common = self._common
        with common.lock:
            common.lessons += 1
            common.learned.clear()

        def learn() -> None:
            try:
                with common.learns:
                    self._learn(index)
            finally:
                with common.lock:
                    common.lessons -= 1
                    if not common.lessons:
                        common.learning = ""
                        common.learned.set()

        return learn

    def _learn(self, index: bool) -> None:
        from retrieval.library import Library

        common = self._common
        try:
            if index and isinstance(self.shop.searcher, Library):
                common.learning = "bringing the search index up to date …"
                self.shop.searcher.update()
        finally:
            learn_beforehand(self.shop, lambda line: setattr(common, "learning", line))

    def wait_until_learned(self, seconds: float | None = None) -> bool:
        """Wait for `learn`, where it runs; whether it is over."""
        return self._common.learned.wait(seconds)

    @property
    def is_ready(self) -> bool:
        """Whether the model has loaded, or failed to."""
        return self._common.loading is not None and self._common.loading.done()

    def model(self) -> BaseChatModel:
        """The model; waits for it while it loads.

        Raises:
            ToolError: It cannot be loaded; the sentence says why.
        """
        return self.load().result()

    def model_or_none(self) -> BaseChatModel | None:
        """The model, or None if it cannot be had: a brief needs none."""
        try:
            return self.model()
        except ToolError:
            return None

    @cached_property
    def tools(self) -> dict[str, BoundTool]:
        """The manager's tools on this shop, without `write_brief`, which stands on them."""
        from tools import ALL
        from tools.registry import bind

        return bind(ALL, self.shop, MANAGER)

    def ask(self, text: str, thread_id: str, history: Sequence[BaseMessage] | None = None) -> Iterator[Event]:
        """Answer one message of a conversation; `history` is what was said before it, where the caller keeps that."""
        return self._ready_assistant().ask(text, thread_id, history)

    def restore(self, thread_id: str, results: Iterable[ToolResult], figures: Iterable[Figure]) -> None:
        """Give a conversation that was kept its figures back."""
        self._ready_assistant().restore(thread_id, results, figures)

    def ledger(self, thread_id: str) -> Ledger:
        """The figures of a conversation."""
        return self._assistant.ledger(thread_id) if self._assistant else Ledger()

    def write_brief(self, wanted: Wanted, locale: str = "en", progress: Progress | None = None) -> Brief:
        """Compile and store the brief of what is wanted."""
        from ui.briefs import write

        return write(self.shop, self.tools, wanted, self.model_or_none(), locale, progress)

    def brief_in(self, result: ToolResult) -> Brief | None:
        """The brief that a tool's answer announces, if it does."""
        from agent.brief.archive import load_brief

        if result.tool != "write_brief":
            return None
        ids = (f.value for f in result.figures if f.id.startswith("brief") and f.id.endswith(".id"))
        brief_id = next(ids, None)
        return load_brief(self.shop, str(brief_id)) if brief_id else None

    def examples(self, say: Words) -> list[str]:
        """Things to say on this shop, for an empty page."""
        categories = self.shop.categories().sort_values("launches", ascending=False)["category"]
        category = str(categories.iloc[0]).split(" > ")[-1] if not categories.empty else "gifts"
        drafts = self.shop.drafts()
        asked = [say(f"example_{what}", category=category) for what in ("draft", "best")]
        return [*asked, *(say("example_brief", draft=draft.id) for draft in drafts[:1])]

    def embedder(self) -> Embedder | None:
        """The embedder, or None if it cannot be had: words alone find most tools."""
        try:
            return self._common.load_embedder() if self._common.load_embedder else None
        except ToolError:
            return None

    def _ready_assistant(self) -> Assistant:
        model = self.model()
        with self._lock:
            if self._assistant is None:
                from agent.assistant import Assistant
                from agent.brief.write import brief_writer
                from agent.shortlist import open_shortlist
                from tools.registry import bind
                from ui.house import brief_settings

                writer = brief_writer(self.tools, model, brief_settings(self.shop, self.locale))
                tools = {**self.tools, **bind([writer], self.shop, MANAGER)}
                summaries = {name: bound.tool.summary for name, bound in tools.items()}
                with self._common.shortlist_lock:  # fitted once: it is the same for everybody who sits here
                    if self._common.shortlist is None:
                        self._common.shortlist = open_shortlist("manager", summaries, self.embedder(), model)
                shortlist = self._common.shortlist
                self._assistant = Assistant(model, tools, shortlist=shortlist)
            return self._assistant
