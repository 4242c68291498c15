"""Running a plan: tool calls as early as their arguments are known and side by side, sections one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack

from agent.brief.calls import CALLS, arguments_of
from agent.brief.declare import SectionPlan
from agent.brief.plan import Plan
from shop import Shop, ToolError, ToolResult
from tools.registry import BoundTool

WORKERS = 3  # threads for tool calls: they wait for the database, and two cores are what a brief is made on
DECIDING = ("recommend_price", "forecast_launch", "plan_inventory")  # without these a brief decides nothing
_POLL = 0.1  # seconds between two looks at whether to go on

Hook = Callable[[SectionPlan], None]


def in_order(sections: tuple[SectionPlan, ...]) -> list[SectionPlan]:
    """Sections such that each comes after those whose figures it, or a call of it, uses; the slow ones last."""
    needs = {s.id: {*s.after, *(other for key in s.calls for other in CALLS[key].after)} - {s.id} for s in sections}
    left, order, done = sorted(sections, key=lambda section: section.late), [], set[str]()
    while left:
        ready = next((section for section in left if needs[section.id] <= done), None)
        if ready is None:
            raise ValueError(f"sections wait for each other: {', '.join(section.id for section in left)}")
        left.remove(ready)
        order.append(ready)
        done.add(ready.id)
    return order


def workers_for(shop: Shop) -> int:
    """How many calls may run side by side; none where the database lives in one connection."""
    url = shop.engine.url
    in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
    return 0 if in_memory else WORKERS


def run(
    plan: Plan,
    tools: Mapping[str, BoundTool],
    *,
    workers: int = 0,
    before: Hook = lambda _: None,
    after: Hook = lambda _: None,
    go_on: Callable[[], None] = lambda: None,
) -> None:
    """Make the calls of all sections and derive their figures, in an order that does not depend on who is fast.

    Args:
        plan: Gets the results, the refusals, and what the sections derive; its givens are entered already.
        tools: Bound tools by name.
        workers: Threads for the calls; none makes each when its section is reached.
        before, after: Told of every section when its turn comes, and when its figures are there.
        go_on: Asked while waiting; raises to stop.

    Raises:
        ToolError: A tool without which nothing can be decided is not among `tools`.
    """
    for name in DECIDING:
        if name not in tools:
            raise ToolError(f"A brief needs {name}, which this role may not call; ask a manager to write it.")
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(workers, "brief")) if workers else None
        calls = _Calls(plan, tools, pool)
        stack.callback(calls.drop)
        for section in in_order(plan.sections):
            calls.start()
            before(section)
            for key in section.calls:
                calls.settle(key, go_on)
            section.derive(plan)
            plan.derived.add(section.id)
            after(section)


class _Calls:
    """The calls of a plan: started once the sections they come after are derived, entered when asked for."""

    def __init__(self, plan: Plan, tools: Mapping[str, BoundTool], pool: ThreadPoolExecutor | None) -> None:
        self._plan, self._tools, self._pool = plan, tools, pool
        order = in_order(plan.sections)
        self._waiting = list(dict.fromkeys(key for section in order for key in section.calls))
        quick = [section for section in order if not section.late]
        self._first = {key for section in quick for key in section.calls}
        self._quick = {section.id for section in quick}
        self._running: dict[str, Future[ToolResult]] = {}

    def start(self) -> None:
        """Hand to the pool whatever can run now."""
        if self._pool is None:
            return
        derived = self._plan.derived
        for key in [key for key in self._waiting if set(CALLS[key].after) <= derived]:
            # The slow calls would take the processor from those that a reader waits for.
            if self._can_be_made(key) and (key in self._first or self._quick <= derived):
                self._waiting.remove(key)
                bound = self._tools[CALLS[key].tool]
                self._running[key] = self._pool.submit(bound, **arguments_of(CALLS[key], bound.tool, self._plan))

    def settle(self, key: str, go_on: Callable[[], None]) -> None:
        """Enter a call's result into the ledger, or its refusal: a text figure, since the sentence may hold digits."""
        plan, call = self._plan, CALLS[key]
        if key in plan.settled or not self._can_be_made(key):
            return
        plan.settled[key] = ""
        bound = self._tools[call.tool]
        arguments = arguments_of(call, bound.tool, plan)
        try:
            if key in self._running:
                result = _wait(self._running.pop(key), go_on)
            else:
                self._waiting.remove(key)
                go_on()
                result = bound(**arguments)
        except ToolError as error:
            about = {"tool": call.tool, "version": bound.tool.version, "inputs": arguments, "why": str(error)}
            plan.refused.append(about)
            plan.refusals[key] = f"note.{key}"
            plan.enter(f"note.{key}", f"Why {call.tool} has no answer", str(error), "text", "the tool's own sentence")
        else:
            plan.settled[key] = plan.ledger.add(result, call.prefix).call

    def drop(self) -> None:
        """Start nothing more."""
        for future in self._running.values():
            future.cancel()

    def _can_be_made(self, key: str) -> bool:
        return CALLS[key].tool in self._tools and self._plan.knows(*CALLS[key].needs)


def _wait(future: Future[ToolResult], go_on: Callable[[], None]) -> ToolResult:
    while not wait([future], timeout=_POLL).done:
        go_on()
    return future.result()
