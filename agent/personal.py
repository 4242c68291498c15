"""Personal data on its way to a model: what a shopper types is replaced by tokens that only our code can turn back.

The model reads `[email-a]` and copies it into a call; the call is given the address back before the tool runs. E-mail
addresses, telephone and card numbers are found by their shape, postal addresses by a street number in front of a
postcode; the postcode that a shopper gives beside her name stays, since alone it names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from string import ascii_lowercase
from typing import Any

_KINDS = {
    "email": re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"),
    "address": re.compile(
        r"(?<![\w#])\d+[a-z]?\s+[a-z][^,\n]{1,60}(?:,\s*[^,\n;!?]{1,40}){0,3}?,\s*(?:[a-z][a-z. ]*\s)?"
        r"(?:\d{4,6}(?:-\d{4})?|[a-z]{1,2}\d[a-z\d]? \d[a-z]{2}|[a-z]\d[a-z] \d[a-z]\d)\b(?:,\s*[a-z][a-z]+\b)?",
        re.IGNORECASE,
    ),
    "card": re.compile(r"\b\d(?:[ -]?\d){12,18}\b"),
    "phone": re.compile(
        r"(?<![\w#])\+?\d{1,3}[ .-]?(?:\(\d{2,4}\)|\d{2,4})(?:[ .-]\d{2,4}){2,3}\b|(?<![\w#])\+\d{9,14}\b"
    ),
}
_TOKEN = re.compile(r"\[(?:email|address|card|phone)-[a-z]+\]")


class Vault:
    """What stands behind the tokens of one conversation. It never leaves the process.

    Args:
        kinds: What to hide: `email`, `address`, `card`, `phone`; none of them for a manager, who types no such thing.
    """

    def __init__(self, kinds: Collection[str] = tuple(_KINDS)) -> None:
        self._kinds = kinds
        self._values: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """The text with a token in place of each personal value; the same value has the same token."""
        for kind in self._kinds:
            text = _KINDS[kind].sub(partial(self._token, kind), text)
        return text

    def reveal(self, text: str) -> str:
        """The text with the values back in place; a token that was never given out stays."""
        return _TOKEN.sub(lambda match: self._values.get(match[0], match[0]), text)

    def reveal_all(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call with the values back in place."""
        return {name: self._revealed(value) for name, value in arguments.items()}

    def _revealed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.reveal(value)
        return [self._revealed(each) for each in value] if isinstance(value, list) else value

    def _token(self, kind: str, match: re.Match[str]) -> str:
        value = match[0]
        known = next((token for token, held in self._values.items() if held == value), None)
        if known is None:
            known = f"[{kind}-{_letters(sum(token.startswith(f'[{kind}-') for token in self._values))}]"
            self._values[known] = value
        return known


def _letters(number: int) -> str:
    """a, b … z, aa, ab: a token has no digit, so that a model may repeat it."""
    text = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        text = ascii_lowercase[place] + text
    return text
