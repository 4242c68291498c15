"""Files made for one person: each has an address that nobody can guess, and is handed to nobody else."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

LIVES_SECONDS = 3600.0
MOST_BYTES = 256 * 2**20  # of all files together; the oldest make room
TYPES = {
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "ics": "text/calendar; charset=utf-8",
    "zip": "application/zip",
}


@dataclass(frozen=True)
class _File:
    owner: str
    name: str
    content: bytes
    until: float


class Downloads:
    """Files that wait to be fetched, in memory alone.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._lock = threading.Lock()

    def offer(self, owner: str, name: str, content: bytes) -> str:
        """Lay a file ready for an account (`account.id`); returns its address, which works for an hour.

        Raises:
            ValueError: The name does not end in one of `TYPES`.
        """
        if name.rpartition(".")[2] not in TYPES:
            raise ValueError(f"{name} is of no type that is handed out: {', '.join(TYPES)}")
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._files[token] = _File(owner, name, content, self._clock() + LIVES_SECONDS)
            while sum(len(file.content) for file in self._files.values()) > MOST_BYTES and len(self._files) > 1:
                self._files.popitem(last=False)
        return f"/files/{token}"

    def fetch(self, token: str, asking: str) -> tuple[str, bytes] | None:
        """Name and content of a file; None where there is none, it has lapsed, or it is somebody else's."""
        with self._lock:
            file = self._files.get(token)
            if file is not None and file.until < self._clock():
                del self._files[token]
                file = None
        return (file.name, file.content) if file is not None and file.owner == asking else None

    def respond(self, request: Request, asking: str) -> Response:
        """The answer to `GET /files/{token}`: always a file to save, never a page to show."""
        found = self.fetch(request.path_params["token"], asking)
        if found is None:
            return PlainTextResponse("There is no such file for you; export it again.", 404)
        name, content = found
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", "cache-control": "no-store"}
        return Response(content, headers=headers, media_type=TYPES[name.rpartition(".")[2]])
