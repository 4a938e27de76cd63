"""Lists in pages: the API server never has to put a whole collection into one answer.

All pages show the same moment. When the server has forgotten that moment before the last page (410), the list starts
over, this time in one piece, which cannot expire.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator
from typing import Final, Protocol

import msgspec

from nestling.kube import errors, requests
from nestling.kube.resource import Resource

SIZE: Final = 500


class Sender(Protocol):
    """The part of a client that lists need."""

    async def send(self, request: requests.Request) -> bytes:
        """Send a request; the answer's body."""


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """Which objects."""

    resource: Resource
    namespace: str | None = None
    label_selector: str | None = None
    field_selector: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects, each as JSON of its own; built-in kinds come without apiVersion and kind."""

    items: tuple[bytes, ...]
    #: Of the whole list: where a watch goes on.
    resource_version: str
    #: The list starts here. It may do so twice: forget what earlier pages said.
    first: bool
    last: bool


class _ListMeta(msgspec.Struct, gc=False):
    resource_version: str = msgspec.field(default="", name="resourceVersion")
    token: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct, gc=False):
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None


_DECODE: Final = msgspec.json.Decoder(_List).decode


async def pages(sender: Sender, query: Query, *, size: int = SIZE) -> AsyncGenerator[Page, None]:
    """The pages of a list, at least one.

    Raises what the client raises.
    """
    token: str | None = None
    limit: int | None = size
    while True:
        request = _request(query, limit, token)
        try:
            answer = _DECODE(await sender.send(request))
        except errors.Expired:
            if token is None:
                raise
            token, limit = None, None
            continue
        except msgspec.DecodeError as error:
            raise errors.ConnectionFailed(request.path, f"the answer is no list: {error}") from error
        # bytes(): a Raw is a view that would keep the whole page in memory
        items = tuple(bytes(item) for item in answer.items or ())
        following = answer.metadata.token
        yield Page(items, answer.metadata.resource_version, first=token is None, last=not following)
        if not following:
            return
        token = following


def _request(query: Query, limit: int | None, token: str | None) -> requests.Request:
    return requests.list_(
        query.resource,
        query.namespace,
        label_selector=query.label_selector,
        field_selector=query.field_selector,
        limit=limit,
        continue_=token,
    )
