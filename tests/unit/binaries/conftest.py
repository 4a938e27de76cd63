"""A local download site, and a Settings that touches nothing of the user's."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from nestling.binaries import settings as settings_


@dataclasses.dataclass
class Site:
    """Serves ``files`` by path; ``cut`` paths promise more than they send; ``asked`` counts requests."""

    url: str
    files: dict[str, bytes]
    cut: set[str] = dataclasses.field(default_factory=set)
    asked: list[str] = dataclasses.field(default_factory=list)
    before: threading.Event | None = None

    def publish(self, path: str, content: bytes, *, checksum: str | None = None, suffix: str = ".sha256") -> None:
        self.files[path] = content
        self.files[path + suffix] = (checksum or hashlib.sha256(content).hexdigest()).encode()


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            if served.before is not None:
                served.before.wait(30)
            content = served.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            extra = 1000 if self.path in served.cut else 0
            self.send_header("Content-Length", str(len(content) + extra))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Site(f"http://127.0.0.1:{server.server_address[1]}", {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(tmp_path: pathlib.Path, site: Site) -> settings_.Settings:
    """An empty cache, the local site as mirror, and neither go nor tools."""
    empty = tmp_path / "empty"
    empty.mkdir()
    return settings_.Settings(cache_dir=tmp_path / "cache", mirror=site.url, search_path=str(empty))


def script(folder: pathlib.Path, name: str, body: str) -> pathlib.Path:
    """Write an executable shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


Condition = Callable[[], bool]


class Deadline:
    """Gives up after some seconds; ``check`` lets other processes run in between."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        assert time.monotonic() < self._end, "the condition did not come true in time"
        time.sleep(0.01)
