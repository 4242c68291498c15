"""What commands print: answers on standard output, progress and sentences for the user on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


def say(text: str) -> None:
    """A line for the person at the terminal; never mixed with the answer."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """The answer as JSON, and nothing else, on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str), flush=True)


class Bar:
    """A progress bar on standard error; nothing where that is no terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def steps(self, what: str, done: int, total: int) -> None:
        """As a brief reports: the section at hand, steps done, steps in all."""
        self._progress.update(self._task, description=what, completed=done, total=total)

    def share(self, what: str, done: float) -> None:
        """As the demo shop reports: what is being done, and the share done."""
        self._progress.update(self._task, description=what, completed=done, total=1.0)

    def rows(self, done: int, total: int | None) -> None:
        """As an importer reports: rows done, and rows in all where they are known."""
        self._progress.update(self._task, description=f"{done:,} rows", completed=done, total=total)

    def passages(self, total: int) -> Callable[[int], None]:
        """As the index reports: how many passages each batch held."""
        self._progress.update(self._task, description="passages", total=total)
        return lambda done: self._progress.advance(self._task, done)


@contextmanager
def bar() -> Iterator[Bar]:
    """A progress bar while the block runs."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(progress)


def step_line(name: str, arguments: Mapping[str, Any]) -> str:
    """A tool call on one line."""
    return f"  {name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
