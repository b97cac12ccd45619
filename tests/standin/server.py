"""The stand-in hub itself: two hosts on the loopback address, a log of requests, faults on demand."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Self

from tests.standin.faults import Faults
from tests.standin.protocol import MEMBER, STRANGER, Answer, RefusedError, Site, select_range
from tests.standin.repository import Repository

Answering = Callable[[str, str, bytes], Answer]


class Request(NamedTuple):
    """A request as the log keeps it; `file` is "org/name/path" when it was answered with a file."""

    method: str
    path: str
    status: int
    file: str
    range: str
    authorization: str


class StandInHub:
    """A hub on the loopback address that speaks to the real clients as the real one does.

    Large files are on a second host, as they are at the real hub: the client is redirected there and
    must not bring its token.

    Attributes:
        token: Of an account that has accepted the terms of the gated repositories.
        stranger_token: Of an account that has not.
        faults: What goes wrong; changed or replaced at any time.
        requests: What was asked so far.
    """

    token = MEMBER
    stranger_token = STRANGER

    def __init__(self, repositories: Sequence[Repository]) -> None:
        self.faults = Faults()
        self.requests: list[Request] = []
        self._repositories = repositories

    def __enter__(self) -> Self:
        self._hub, self._store = _Host(self), _Host(self)
        site = Site(self._repositories, self._store.address)
        self._hub.start(site.answer)
        self._store.start(site.answer_store)
        return self

    def __exit__(self, *reason: object) -> None:
        for host in (self._hub, self._store):
            host.shutdown()
            host.server_close()

    @property
    def endpoint(self) -> str:
        """The address that belongs into HF_ENDPOINT."""
        return self._hub.address

    @property
    def store(self) -> str:
        """The address of the host of the large files."""
        return self._store.address

    def downloads(self, repository: str) -> set[str]:
        """Return the paths of a repository's files whose content went out, in whole or in part."""
        files = {request.file for request in self.requests if request.method == "GET"}
        return {file.removeprefix(f"{repository}/") for file in files if file.startswith(f"{repository}/")}

    def environment(self, home: Path, token: str | None = MEMBER) -> dict[str, str]:
        """Return the variables of a process whose hub this is, with its caches below a folder."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS_")) and "_proxy" not in name.lower()
        }
        ours = {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        return {**kept, **ours, **({"HF_TOKEN": token} if token else {})}


class _Host(ThreadingHTTPServer):
    """One address of the hub, in a thread of its own."""

    daemon_threads = True
    # A client opens many connections at once; one that finds no place in the queue waits a second.
    request_queue_size = 64
    answering: Answering

    def __init__(self, hub: StandInHub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def start(self, answering: Answering) -> None:
        self.answering = answering
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    """One connection to one of the hosts."""

    protocol_version = "HTTP/1.1"
    # Headers and content go out in one packet, so that the client is never kept waiting for the second.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Host

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self._answer(body)
        hub = self.server.hub
        breaks = self.command == "GET" and bool(answer.file) and hub.faults.breaks()
        hub.requests.append(
            Request(
                method=self.command,
                path=self.path,
                status=answer.status,
                file=answer.file,
                range=self.headers.get("Range", ""),
                authorization=self.headers.get("Authorization", ""),
            )
        )
        self.send_response(answer.status)
        for name, value in (answer.headers | {"Content-Length": str(len(answer.content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if breaks:
            self._break_off(answer.content)
        else:
            self.wfile.write(answer.content)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the requests are logged for the tests."""

    def _answer(self, body: bytes) -> Answer:
        faults = self.server.hub.faults
        try:
            if status := faults.status():
                wait = 1 if status == 429 and faults.retry_after is None else faults.retry_after
                headers = {} if wait is None else {"Retry_After": str(wait)}
                raise RefusedError(status, "Try again later.", **headers)
            answer = self.server.answering(self.path, self.headers.get("Authorization", ""), body)
        except RefusedError as refused:
            return refused.answer
        spoilt = Answer(answer.status, answer.headers, faults.spoil(answer.file, answer.content), answer.file)
        return select_range(spoilt, self.headers.get("Range", ""))

    def _break_off(self, content: bytes) -> None:
        """Send half of a file and end the connection."""
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        self.close_connection = True
        if self.server.hub.faults.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
