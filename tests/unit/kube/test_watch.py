from __future__ import annotations

import contextlib

import pytest

from nestling.kube import errors, paging, watch
from nestling.kube.resource import PODS
from tests.unit.kube import fakes

_QUERY = paging.Query(PODS, "ns")
_FAST = watch.Timing(first_delay=0.001, last_delay=0.002)
_LOST = errors.ConnectionFailed("https://h", "reset")


async def _take(
    server: fakes.Server, count: int, failures: list[Exception] | None = None, timing: watch.Timing = _FAST
) -> list[tuple[str, str]]:
    """The first events as (kind, name or version)."""
    heard: list[Exception] = [] if failures is None else failures
    found: list[tuple[str, str]] = []
    stream = watch.list_and_watch(server, _QUERY, timing=timing, on_error=heard.append)
    async with contextlib.aclosing(stream) as events:
        async for event in events:
            found.append((event.kind.name, event.meta.name if event.meta else event.resource_version))
            if len(found) == count:
                break
    return found


async def test_list_then_watch_from_the_version_of_the_list() -> None:
    server = fakes.Server(
        fakes.listing(9, fakes.obj("a", 1), token="t"),
        fakes.listing(9, fakes.obj("b", 2)),
        [fakes.line("ADDED", fakes.obj("c", 10)), fakes.line("DELETED", fakes.obj("a", 11))],
    )
    assert await _take(server, 6) == [
        ("LISTING", "9"),
        ("LISTED", "a"),
        ("LISTED", "b"),
        ("SYNCED", "9"),
        ("ADDED", "c"),
        ("DELETED", "a"),
    ]
    assert server.watched_from == ["9"]


async def test_the_server_ends_watches_after_a_random_time() -> None:
    server = fakes.Server(fakes.listing(1), [fakes.bookmark(2)], [fakes.bookmark(3)])
    await _take(server, 4, timing=watch.Timing(shortest=240, longest=360))
    for request in server.asked[1:]:
        assert 240 <= int(request.params["timeoutSeconds"]) <= 360
        assert request.params["allowWatchBookmarks"] == "true"


async def test_goes_on_where_it_ended() -> None:
    server = fakes.Server(
        fakes.listing(9),
        [fakes.line("ADDED", fakes.obj("a", 10))],
        [fakes.line("MODIFIED", fakes.obj("a", 12)), _LOST],
        _LOST,
        [fakes.bookmark(15)],
    )
    failures: list[Exception] = []
    assert (await _take(server, 5, failures))[2:] == [("ADDED", "a"), ("MODIFIED", "a"), ("BOOKMARK", "15")]
    assert server.watched_from == ["9", "10", "12", "12"]
    assert failures == [_LOST, _LOST]


async def test_bookmarks_move_the_place_to_go_on_from() -> None:
    server = fakes.Server(fakes.listing(9), [fakes.bookmark(50), _LOST], [fakes.line("ADDED", fakes.obj("a", 51))])
    await _take(server, 4)
    assert server.watched_from == ["9", "50"]


@pytest.mark.parametrize("how", [fakes.expired(), [fakes.expired_line()]], ids=["status", "event"])
async def test_410_lists_again(how: fakes.Step) -> None:
    server = fakes.Server(fakes.listing(9, fakes.obj("a", 1)), how, fakes.listing(30, fakes.obj("b", 20)))
    assert await _take(server, 6) == [
        ("LISTING", "9"),
        ("LISTED", "a"),
        ("SYNCED", "9"),
        ("LISTING", "30"),
        ("LISTED", "b"),
        ("SYNCED", "30"),
    ]


async def test_a_list_that_breaks_off_starts_over() -> None:
    server = fakes.Server(fakes.listing(9, fakes.obj("a", 1), token="t"), _LOST, fakes.listing(12, fakes.obj("b", 2)))
    assert [kind for kind, _ in await _take(server, 5)] == ["LISTING", "LISTED", "LISTING", "LISTED", "SYNCED"]


async def test_history_that_went_back_is_listed_again() -> None:
    server = fakes.Server(fakes.listing(900), [fakes.bookmark(20)], fakes.listing(21))
    assert await _take(server, 4) == [("LISTING", "900"), ("SYNCED", "900"), ("LISTING", "21"), ("SYNCED", "21")]


@pytest.mark.parametrize("garbage", [b"<html>", b'{"type":"ADDED"}', fakes.line("SURPRISE", fakes.obj("a", 1))])
async def test_garbage_in_the_stream_is_a_broken_connection(garbage: bytes) -> None:
    server = fakes.Server(fakes.listing(9), [garbage], [fakes.bookmark(10)])
    failures: list[Exception] = []
    assert (await _take(server, 3, failures))[2] == ("BOOKMARK", "10")
    assert isinstance(failures[0], errors.ConnectionFailed)


async def test_missing_permissions_are_told_and_waited_out() -> None:
    forbidden = errors.from_status({"code": 403, "reason": "Forbidden", "message": "no"})
    server = fakes.Server(forbidden, forbidden, fakes.listing(9))
    failures: list[Exception] = []
    assert await _take(server, 2, failures) == [("LISTING", "9"), ("SYNCED", "9")]
    assert failures == [forbidden, forbidden]


class TestProgress:
    """What follows from how a connection ended."""

    def _at(self, version: str = "9") -> watch.Progress:
        progress = watch.Progress(watch.Timing(first_delay=1.0, last_delay=8.0))
        progress.version = version
        return progress

    def test_an_ordinary_end_goes_on_at_once(self) -> None:
        assert self._at().ended(seconds=0.1, received=True) == 0.0
        assert self._at().ended(seconds=300.0, received=False) == 0.0

    def test_ends_without_a_word_are_not_repeated_in_a_tight_loop(self) -> None:
        progress = self._at()
        waits = [progress.ended(seconds=0.01, received=False) for _ in range(6)]
        assert all(0.75 * base <= wait <= 1.25 * base for wait, base in zip(waits, (1, 2, 4, 8, 8, 8), strict=True))

    def test_back_off_starts_over_after_an_event(self) -> None:
        progress = self._at()
        for _ in range(5):
            progress.failed(_LOST)
        progress.saw(watch.Event(watch.Kind.BOOKMARK, "12"))
        assert progress.version == "12"
        assert progress.failed(_LOST) <= 1.25

    def test_a_list_alone_proves_nothing(self) -> None:
        """410 after each list must not become a storm of lists."""
        progress = self._at()
        assert progress.failed(fakes.expired()) == 0.0
        progress.saw(watch.Event(watch.Kind.SYNCED, "20"))
        assert progress.failed(fakes.expired()) > 0.0

    def test_a_lost_connection_keeps_the_version(self) -> None:
        progress = self._at()
        for _ in range(50):
            progress.failed(_LOST)
        assert progress.version == "9"

    def test_a_version_that_the_server_chokes_on_is_given_up(self) -> None:
        progress = self._at()
        for _ in range(5):
            progress.failed(errors.from_status({"code": 500, "reason": "InternalError"}))
        assert progress.version is None

    def test_a_resource_that_is_gone_is_listed_when_it_returns(self) -> None:
        progress = self._at()
        progress.failed(errors.from_status({"code": 404, "reason": "NotFound"}))
        assert progress.version is None

    def test_the_delay_is_bounded_for_ever(self) -> None:
        assert watch.Timing().delay(10_000) <= 1.25 * watch.Timing().last_delay


def test_parse_keeps_the_bytes() -> None:
    raw = fakes.obj("a", 3, spec={"x": "é"})
    event = watch.parse(fakes.line("ADDED", raw))
    assert (event.kind, event.raw, event.resource_version) == (watch.Kind.ADDED, raw, "3")
    assert type(event.raw) is bytes
