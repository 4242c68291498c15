"""The edge of the house: the one place with a broad `except`. A user gets one sentence, the log gets the trace."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from logging.handlers import RotatingFileHandler
from pathlib import Path

EXIT_CANNOT, EXIT_BAD_INPUT, EXIT_BUG = 1, 2, 3


@dataclass(frozen=True)
class Failure:
    """Why something did not happen: a sentence for the user, and the exit code of a command that ends with it."""

    sentence: str
    exit_code: int
    error_id: str = ""


@contextmanager
def edge(log_file: Path, report: Callable[[Failure], object], locale: str = "en") -> Iterator[None]:
    """Run a block; whatever it raises is reported as one `Failure`, in the reader's language, and goes no further.

    A `ToolError` is the reader's own sentence. Anything else is a bug: its trace goes to the log under an id.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001
        report(_in(locale, _failure(error, log_file)))


def _in(locale: str, failure: Failure) -> Failure:
    if locale == "en":
        return failure
    from agent.spoken import spoken_plain  # not at the top, as below

    return replace(failure, sentence=spoken_plain(failure.sentence, locale))


def _failure(error: Exception, log_file: Path) -> Failure:
    # Not at the top: it brings pandas in, and `--help` should not wait for that.
    from shop import BadInput, ToolError

    if isinstance(error, ToolError):
        return Failure(str(error), EXIT_BAD_INPUT if isinstance(error, BadInput) else EXIT_CANNOT)
    error_id = f"E-{secrets.token_hex(3)}"
    if _log(error, error_id, log_file):
        where = f"; the trace is in {log_file}."
    else:
        where = f", and its trace could not be written to {log_file}; see whether the disk has room."
    return Failure(f"Something went wrong inside Debut (error {error_id}){where}", EXIT_BUG, error_id)


class _LogFile(RotatingFileHandler):
    """A log that says when it could not be written; else its trace would be printed to whoever is looking."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (named by the library)
        raise


def _log(error: Exception, error_id: str, log_file: Path) -> bool:
    """Write the trace; whether it could be written: a full disk must not keep the sentence from the user."""
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with closing(_LogFile(log_file, maxBytes=2_000_000, backupCount=2, encoding="utf-8")) as handler:
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            # A logger of its own, closed at once: the root logger stays as the host set it.
            log = logging.Logger("debut")
            log.addHandler(handler)
            log.error(error_id, exc_info=error)
    except OSError:
        return False
    return True
