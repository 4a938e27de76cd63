from __future__ import annotations

import pytest

from nestling.kube import errors, paging
from nestling.kube.resource import PODS
from tests.unit.kube import fakes

_QUERY = paging.Query(PODS, "ns", label_selector="a=b")


async def _collect(server: fakes.Server) -> list[paging.Page]:
    return [page async for page in paging.pages(server, _QUERY)]


async def test_pages_follow_the_token() -> None:
    server = fakes.Server(
        fakes.listing(9, fakes.obj("a", 1), fakes.obj("b", 2), token="t1"),
        fakes.listing(9, fakes.obj("c", 3), token="t2"),
        fakes.listing(9),
    )
    pages = await _collect(server)
    assert [(len(page.items), page.first, page.last, page.resource_version) for page in pages] == [
        (2, True, False, "9"),
        (1, False, False, "9"),
        (0, False, True, "9"),
    ]
    assert [request.params.get("continue") for request in server.asked] == [None, "t1", "t2"]
    assert all(request.params["limit"] == "500" for request in server.asked)
    assert all(request.params["labelSelector"] == "a=b" for request in server.asked)


async def test_an_empty_list_is_one_page() -> None:
    (page,) = await _collect(fakes.Server(b'{"metadata": {"resourceVersion": "4"}, "items": null}'))
    assert (page.items, page.first, page.last, page.resource_version) == ((), True, True, "4")


async def test_a_token_that_expired_means_a_list_in_one_piece() -> None:
    server = fakes.Server(
        fakes.listing(9, fakes.obj("a", 1), token="t1"),
        fakes.expired(),
        fakes.listing(20, fakes.obj("b", 12)),
    )
    first, second = await _collect(server)
    assert (first.first, first.last) == (True, False)
    assert (second.first, second.last, second.resource_version) == (True, True, "20")
    assert "limit" not in server.asked[2].params
    assert "continue" not in server.asked[2].params


async def test_410_without_a_token_is_an_error() -> None:
    with pytest.raises(errors.Expired):
        await _collect(fakes.Server(fakes.expired()))


async def test_an_answer_that_is_no_list() -> None:
    with pytest.raises(errors.ConnectionFailed, match="no list"):
        await _collect(fakes.Server(b"<html>log in first</html>"))


async def test_items_do_not_hold_the_page() -> None:
    (page,) = await _collect(fakes.Server(fakes.listing(9, fakes.obj("a", 1))))
    assert type(page.items[0]) is bytes
