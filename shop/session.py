"""Who acts in one conversation: known from the start, or identified once and never another person after that."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from shop.authorize import NOT_IDENTIFIED
from shop.errors import ToolError
from shop.types import Actor, Role

MOST_TRIES = 5  # failed identifications of one conversation


def utc_now() -> datetime:
    """The clock of a session that is given none: UTC, without a zone, as the tables store it."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass
class Session:
    """The acting person of one conversation. It lives on the server; no argument of a tool can change whom it names.

    Args:
        role: What the person may do.
        person: Id of the person; empty for a customer who has not been identified yet.
        id: Names the conversation in the audit.
        now: The clock that proposals lapse by.
    """

    role: Role
    person: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    now: Callable[[], datetime] = utc_now
    failures: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def is_customer(self) -> bool:
        return self.role == "customer"

    @property
    def standing(self) -> Actor:
        """Who acts as far as it is known: a customer has no id until she is identified."""
        return Actor(role=self.role, id=self.person)

    @property
    def actor(self) -> Actor:
        """The acting person.

        Raises:
            ToolError: A customer who has not been identified.
        """
        if self.is_customer and not self.person:
            raise ToolError(NOT_IDENTIFIED)
        return self.standing

    def may_try(self) -> None:
        """Whether another attempt to identify is allowed.

        Raises:
            ToolError: There were too many that failed.
        """
        if self.failures >= MOST_TRIES:
            raise ToolError(
                "I could not identify you several times over, so I stop here; "
                "hand_over passes you on to a person of the shop."
            )

    def identify(self, customer: str | None) -> None:
        """Enter who the customer is; None is an attempt that failed.

        Raises:
            ToolError: Nobody was found, or this conversation is another customer's.
        """
        with self._lock:
            self.failures += customer is None
            # Before anything else: whether somebody else has an account here is not for this person to learn.
            if self.person and self.person != customer:
                raise ToolError(
                    "This conversation serves one customer, and somebody else is identified already; "
                    "start a new conversation for another person."
                )
            if customer is None:
                raise ToolError(
                    "Nobody could be identified by that; check the spelling, or give the other of the two: "
                    "the e-mail address of the account, or name and postcode."
                )
            self.person = customer
