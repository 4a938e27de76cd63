"""Metadata of objects, read from their JSON without decoding the rest: four times faster."""

from __future__ import annotations

from typing import Final

import msgspec

#: (namespace, name); the namespace of a cluster-scoped object is empty.
Key = tuple[str, str]


class Owner(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An owner reference."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    controller: bool = False


class Meta(msgspec.Struct, gc=False, rename="camel"):
    """What reads, indexes and watches need to know about an object. Shared by its readers: not to be changed."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] | None = None
    owner_references: tuple[Owner, ...] | None = None

    @property
    def key(self) -> Key:
        """Where the object is."""
        return (self.namespace, self.name)

    @property
    def revision(self) -> int | None:
        """The resourceVersion as a number."""
        return revision(self.resource_version)


class _WithMeta(msgspec.Struct, gc=False):
    metadata: Meta


_DECODE: Final = msgspec.json.Decoder(_WithMeta).decode


def read(raw: bytes | msgspec.Raw) -> Meta:
    """The metadata in an object's JSON."""
    return _DECODE(raw).metadata


class _Managed(msgspec.Struct, gc=False):
    fields: msgspec.Raw = msgspec.field(default=msgspec.Raw(b""), name="managedFields")


class _WithManaged(msgspec.Struct, gc=False):
    metadata: _Managed


_DECODE_MANAGED: Final = msgspec.json.Decoder(_WithManaged).decode


def slim(raw: bytes) -> bytes:
    """An object's JSON without ``metadata.managedFields``: often a third of it, and of no use to a reader of a cache.

    The bytes are cut out, not encoded anew. What cannot be cut out for certain stays.
    """
    fields = bytes(_DECODE_MANAGED(raw).metadata.fields)
    if not fields:
        return raw
    text = b'"managedFields":' + fields
    start = raw.find(text)
    if start < 0 or raw.find(text, start + 1) >= 0:
        return raw
    end = start + len(text)
    if raw[start - 1 : start] == b",":
        start -= 1
    elif raw[end : end + 1] == b",":
        end += 1
    return raw[:start] + raw[end:]


def revision(resource_version: str | None) -> int | None:
    """A resourceVersion as a number: those of one resource are ordered.

    None for "" and for servers with ideas of their own.
    """
    return int(resource_version) if resource_version and resource_version.isdecimal() else None
