"""Who may do what: one decision before every tool call and every request, made of plain rules and of nothing else.

What a tool or a route reaches, and what it does there, is its `Capability`. The acting person comes from the session.
What has entered the conversation so far is its `Labels`: where texts of others have, nothing of them becomes an
argument of a change. An id that the tool looks up among the actor's own rows is no such text, nor is a choice from a
list, nor a number that our code computed, nor a note that only a person will read, marked as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from shop.errors import ToolError
from shop.readings import numbers_in
from shop.types import Actor, Effect, Role

# Whose data it is about: everybody's, the service desk's (who is this, pass me on), the customer's own, tickets that
# customers left, or what the shop keeps to itself (cost, margin, forecasts, customers, plans).
Reach = Literal["public", "service", "own", "tickets", "internal"]
Standing = Literal["anonymous", "customer", "support", "manager", "approver"]
Verdict = Literal["allow", "propose", "deny"]

MAY: Mapping[Reach, frozenset[Standing]] = {
    "public": frozenset(get_args(Standing)),
    "service": frozenset(("anonymous", "customer")),
    "own": frozenset(("customer",)),
    "tickets": frozenset(("support", "manager", "approver")),
    "internal": frozenset(("manager", "approver")),
}
NOT_IDENTIFIED = (
    "First tell me who you are: the e-mail address of your account, or your name and postcode; "
    "identify_customer looks you up."
)
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


class Denied(ToolError):
    """The acting person may not do this, or not with these arguments; `rule` names why, for the log."""

    def __init__(self, sentence: str, rule: str) -> None:
        super().__init__(sentence)
        self.rule = rule


@dataclass(frozen=True)
class Capability:
    """What a tool or a route does, and to whose data.

    Args:
        name: The tool or the route.
        effect: What it does to the world.
        reach: Whose data it is about.
        closed: Arguments that are a choice from a list.
        resolved: Arguments that are looked up among the actor's own rows before anything is done with them.
        noted: Arguments that are kept for a person to read, shown as words that nobody vouches for, and read by nothing
            else.
    """

    name: str
    effect: Effect
    reach: Reach
    closed: frozenset[str] = frozenset()
    resolved: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that may have it at all."""
        return tuple(role for role in get_args(Role) if role in MAY[self.reach])


@dataclass(frozen=True)
class Labels:
    """What has entered a conversation.

    Args:
        said: What the person typed, and the ids that our own code gave out.
        known: Numbers that our code computed.
        is_tainted: Texts that others wrote are among what the model has read.
        seen: Whose data it holds: (reach, customer) of every result.
    """

    said: tuple[str, ...] = ()
    known: tuple[float, ...] = ()
    is_tainted: bool = False
    seen: frozenset[tuple[Reach, str]] = field(default_factory=frozenset)


CLEAN = Labels()


@dataclass(frozen=True)
class Decision:
    """What was decided, the rule that decided it, and for a refusal the sentence for the reader."""

    verdict: Verdict
    rule: str
    sentence: str = ""


def authorize(
    actor: Actor, capability: Capability, arguments: Mapping[str, Any] | None = None, labels: Labels = CLEAN
) -> Decision:
    """Decide one call.

    Args:
        actor: Who acts, from the session; a customer without an id has not been identified.
        capability: What is called.
        arguments: What it is called with.
        labels: What has entered the conversation; left out, nothing but the person's own words.
    """
    standing = standing_of(actor)
    if standing not in MAY[capability.reach]:
        if standing == "anonymous" and capability.reach == "own":
            return Decision("deny", "identify", NOT_IDENTIFIED)
        return Decision("deny", "role", f"{capability.name} is not for your role; ask for something else.")
    if standing in MAY["service"] and any(_is_foreign(seen, actor) for seen in labels.seen):
        return Decision(
            "deny", "context", "This conversation holds what is not yours; start a new one and ask for it there."
        )
    if capability.effect == "read":
        return Decision("allow", "read")
    if labels.is_tainted:
        name = _not_said(capability, arguments or {}, labels)
        if name:
            return Decision(
                "deny",
                "untrusted",
                f"What {capability.name} would take as {name} is not what you wrote, and texts of others were read "
                "before it; write it in your own words, and ask again.",
            )
    return Decision("propose" if capability.effect == "propose" else "allow", capability.effect)


def require(
    actor: Actor, capability: Capability, arguments: Mapping[str, Any] | None = None, labels: Labels = CLEAN
) -> Decision:
    """The decision, where it is not a refusal; what every route calls before it answers.

    Raises:
        Denied: The call is refused.
    """
    decision = authorize(actor, capability, arguments, labels)
    if decision.verdict == "deny":
        raise Denied(decision.sentence, decision.rule)
    return decision


def standing_of(actor: Actor) -> Standing:
    """The actor's line in the table: a customer nobody has identified stands in one of her own."""
    return "anonymous" if actor.role == "customer" and not actor.id else actor.role


def _is_foreign(seen: tuple[Reach, str], actor: Actor) -> bool:
    reach, owner = seen
    return reach in ("internal", "tickets") or (reach == "own" and owner != actor.id)


def _not_said(capability: Capability, arguments: Mapping[str, Any], labels: Labels) -> str:
    """Name of the first argument that stems neither from the person nor from our code; empty where all do."""
    # What changes something at once takes no id either that nobody named: only a proposal waits for a click.
    free = capability.closed | capability.noted
    if capability.effect == "propose":
        free |= capability.resolved
    words = {word for text in labels.said for word in _words(text)}
    numbers = [*labels.known, *(number for text in labels.said for number in numbers_in(text))]
    for name, value in arguments.items():
        if name not in free and not all(_is_own(each, words, numbers) for each in _leaves(value)):
            return name
    return ""


def _is_own(value: Any, words: set[str], numbers: list[float]) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return any(abs(value - known) <= 0.005 for known in numbers)
    return set(_words(str(value))) <= words or _is_known(str(value), numbers)


def _is_known(text: str, numbers: list[float]) -> bool:
    """Whether a text is nothing but one number that is known."""
    try:
        number = float(text)
    except ValueError:
        return False
    return any(abs(number - known) <= 0.005 for known in numbers)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield key
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
