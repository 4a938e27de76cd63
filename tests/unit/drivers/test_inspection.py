from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.drivers import errors
from nestling.drivers.local import folder, inspection, process


class Syncer(http.server.BaseHTTPRequestHandler):
    """Answers as the syncer process does, or not at all."""

    def do_GET(self) -> None:
        status = {"/status": 200, "/readyz": 503}.get(self.path, 404)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the base class
        pass


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> folder.Folder:
    monkeypatch.setattr(process, "running", lambda _place: True)
    return folder.Folder(tmp_path)


@pytest.fixture
def port(place: folder.Folder) -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Syncer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (place.path / "syncer.json").write_text(json.dumps({"ports": {"health": server.server_port}}))
        yield server.server_port
        server.shutdown()
        thread.join()


async def test_the_answer_is_what_the_process_says_even_when_it_is_not_ready(place: folder.Folder, port: int) -> None:
    assert await inspection.ask(place, "/status") == b"/status"
    assert await inspection.ask(place, "/readyz") == b"/readyz"


async def test_an_unknown_path_is_an_error(place: folder.Folder, port: int) -> None:
    with pytest.raises(errors.UserError, match="404"):
        await inspection.ask(place, "/nonsense")


async def test_nobody_on_the_port_is_said(place: folder.Folder) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Syncer) as server:
        free = server.server_port
    (place.path / "syncer.json").write_text(json.dumps({"ports": {"health": free}}))
    with pytest.raises(errors.UserError, match=f"the syncer process on port {free} does not answer"):
        await inspection.ask(place, "/status")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"ports": {"health": null}}'])
async def test_settings_without_a_port_are_said(place: folder.Folder, text: str) -> None:
    (place.path / "syncer.json").write_text(text)
    with pytest.raises(errors.UserError, match="does not name the port"):
        await inspection.ask(place, "/status")


async def test_processes_that_do_not_run_are_not_asked(tmp_path: Path) -> None:
    with pytest.raises(errors.UserError, match="do not run"):
        await inspection.ask(folder.Folder(tmp_path), "/status")
