"""One way to write values as text, so that equal values have equal hashes."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks; dates and times in ISO form."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_text)


def digest(*values: Any) -> str:
    """SHA-256 of values, in hexadecimal."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()


def _text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")
