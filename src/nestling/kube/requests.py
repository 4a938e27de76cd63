"""Requests to the Kubernetes API as values: which method, path, parameters and body a verb means. No I/O."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from nestling.kube.resource import Obj, Resource

_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(dict[str, Any]).decode
_JSON: Final = "application/json"


class PatchType(enum.Enum):
    """The content type says how the server understands a patch."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, relative to the server's address."""

    method: str
    path: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None


def decode(raw: bytes) -> Obj:
    """The object in a response."""
    return _DECODE(raw)


def encode(obj: Any) -> bytes:
    """JSON for a request."""
    return _ENCODE(obj)


def get(resource: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None) -> Request:
    """Read one object."""
    return Request("GET", resource.path(namespace, name, subresource))


def list_(
    resource: Resource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    limit: int | None = None,
    continue_token: str | None = None,
    resource_version: str | None = None,
) -> Request:
    """Read a page of a collection; ``namespace`` None means all namespaces."""
    params = {
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
        "limit": str(limit) if limit else None,
        "continue": continue_token,
        "resourceVersion": resource_version,
    }
    return Request("GET", resource.path(namespace), _given(params))


def watch(
    resource: Resource,
    namespace: str | None = None,
    *,
    resource_version: str,
    timeout_seconds: int,
    label_selector: str | None = None,
    field_selector: str | None = None,
) -> Request:
    """Follow a collection from a version on, with bookmarks, until the server ends it after ``timeout_seconds``."""
    params = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": resource_version,
        "timeoutSeconds": str(timeout_seconds),
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
    }
    return Request("GET", resource.path(namespace), _given(params))


def create(
    resource: Resource,
    obj: Obj,
    namespace: str | None = None,
    *,
    name: str | None = None,
    subresource: str | None = None,
    field_manager: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Create an object; with ``name`` and ``subresource``, post to a subresource such as ``binding`` or ``token``."""
    body = obj if "kind" in obj else {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
    return Request(
        "POST",
        resource.path(namespace, name, subresource),
        _write_params(field_manager, dry_run=dry_run),
        {"Content-Type": _JSON},
        _ENCODE(body),
    )


def replace(
    resource: Resource,
    obj: Obj,
    *,
    subresource: str | None = None,
    field_manager: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Write a whole object; the resourceVersion in it must still be the current one."""
    meta = obj["metadata"]
    body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
    path = resource.path(meta.get("namespace"), meta["name"], subresource)
    return Request("PUT", path, _write_params(field_manager, dry_run=dry_run), {"Content-Type": _JSON}, _ENCODE(body))


def patch(
    resource: Resource,
    name: str,
    change: Any,
    namespace: str | None = None,
    *,
    patch_type: PatchType = PatchType.MERGE,
    subresource: str | None = None,
    field_manager: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Request:
    """Change an object; ``force`` takes fields over in a server-side apply."""
    params = _write_params(field_manager, dry_run=dry_run)
    if patch_type is PatchType.APPLY:
        params = {**params, "fieldManager": field_manager or "vcluster", "force": "true" if force else "false"}
    headers = {"Content-Type": patch_type.value}
    return Request("PATCH", resource.path(namespace, name, subresource), params, headers, _ENCODE(change))


def delete(
    resource: Resource,
    name: str,
    namespace: str | None = None,
    *,
    uid: str | None = None,
    resource_version: str | None = None,
    grace_period_seconds: int | None = None,
    propagation_policy: str | None = None,
) -> Request:
    """Delete an object, if it still is the one with this UID and version."""
    body = _delete_options(uid, resource_version, grace_period_seconds, propagation_policy)
    return Request("DELETE", resource.path(namespace, name), {}, {"Content-Type": _JSON}, _ENCODE(body))


def delete_collection(
    resource: Resource, namespace: str | None = None, *, label_selector: str, propagation_policy: str | None = None
) -> Request:
    """Delete all objects that a selector finds. A selector is required: an empty one would delete everything."""
    if not label_selector:
        message = "delete_collection needs a label selector"
        raise ValueError(message)
    body = _delete_options(None, None, None, propagation_policy)
    params = {"labelSelector": label_selector}
    return Request("DELETE", resource.path(namespace), params, {"Content-Type": _JSON}, _ENCODE(body))


def _delete_options(
    uid: str | None, resource_version: str | None, grace_period_seconds: int | None, propagation_policy: str | None
) -> Obj:
    preconditions = _given({"uid": uid, "resourceVersion": resource_version})
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": preconditions or None,
        "gracePeriodSeconds": grace_period_seconds,
        "propagationPolicy": propagation_policy,
    }
    return {key: value for key, value in options.items() if value is not None}


def _write_params(field_manager: str | None, *, dry_run: bool) -> dict[str, str]:
    return _given({"fieldManager": field_manager, "dryRun": "All" if dry_run else None})


def _given(params: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in params.items() if value is not None}
