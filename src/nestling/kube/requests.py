"""Requests of the Kubernetes API as values, made by pure functions: no socket, no credentials.

``client`` sends them. Whatever decides what to write can be tested by looking at the request.
"""

from __future__ import annotations

import dataclasses
import enum
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from nestling.kube.resource import Obj, Resource

_ENCODE: Final = msgspec.json.Encoder().encode
_JSON: Final = {"Content-Type": "application/json"}
#: Characters that names may hold and that mean nothing in a path.
_SAFE = ":@!$&'()*+,;=~"


class PatchType(enum.Enum):
    """How the server reads the body of a patch."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    #: Server-side apply. JSON is YAML.
    APPLY = "application/apply-patch+yaml"


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What to send, without where and as whom. ``path`` is already quoted."""

    method: str
    path: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None


def raw(path: str, *, accept: str = "application/json") -> Request:
    """GET a path that is no resource, such as ``/version`` or ``/healthz``."""
    return Request("GET", path, {}, {"Accept": accept})


def get(resource: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None) -> Request:
    """Read one object or its subresource."""
    return Request("GET", _path(resource, namespace, _given(name), subresource))


def list_(
    resource: Resource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    limit: int | None = None,
    continue_: str | None = None,
    resource_version: str | None = None,
) -> Request:
    """Read a page of a collection; ``paging`` puts the pages together."""
    params = {
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
        "limit": str(limit) if limit else None,
        "continue": continue_,
        "resourceVersion": resource_version,
    }
    return Request("GET", _path(resource, namespace, None, None), _some(params))


def watch(
    resource: Resource,
    namespace: str | None = None,
    *,
    resource_version: str,
    label_selector: str | None = None,
    field_selector: str | None = None,
    timeout_seconds: int | None = None,
) -> Request:
    """Follow a collection from a resourceVersion on, with bookmarks."""
    params = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": resource_version,
        "labelSelector": label_selector,
        "fieldSelector": field_selector,
        "timeoutSeconds": str(timeout_seconds) if timeout_seconds else None,
    }
    return Request("GET", _path(resource, namespace, None, None), _some(params))


def create(
    resource: Resource,
    body: Obj,
    namespace: str | None = None,
    *,
    name: str | None = None,
    subresource: str | None = None,
    field_manager: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Create an object, or POST to a subresource of ``name`` (a binding, an eviction, a token request)."""
    if (name is None) != (subresource is None):
        raise ValueError("a create takes a name exactly when it goes to a subresource")
    path = _path(resource, namespace, None if name is None else _given(name), subresource)
    if "kind" not in body:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    return Request("POST", path, _write_params(field_manager, dry_run=dry_run), _JSON, _ENCODE(body))


def replace(
    resource: Resource,
    body: Obj,
    *,
    subresource: str | None = None,
    field_manager: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Write a whole object back; the resourceVersion in it is the precondition."""
    meta = body["metadata"]
    body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    path = _path(resource, meta.get("namespace"), _given(meta["name"]), subresource)
    return Request("PUT", path, _write_params(field_manager, dry_run=dry_run), _JSON, _ENCODE(body))


def patch(
    resource: Resource,
    name: str,
    body: Obj | Sequence[Any],
    namespace: str | None = None,
    *,
    patch_type: PatchType = PatchType.MERGE,
    subresource: str | None = None,
    field_manager: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Request:
    """Change parts of an object. Put the resourceVersion into the metadata to make it a precondition.

    A server-side apply needs a field manager, and creates the object when there is none; ``force`` takes over fields of
    other managers.
    """
    if patch_type is PatchType.APPLY and not field_manager:
        raise ValueError("a server-side apply needs a field_manager")
    params = _write_params(field_manager, dry_run=dry_run) | ({"force": "true"} if force else {})
    path = _path(resource, namespace, _given(name), subresource)
    return Request("PATCH", path, params, {"Content-Type": patch_type.value}, _ENCODE(body))


def delete(
    resource: Resource,
    name: str,
    namespace: str | None = None,
    *,
    uid: str | None = None,
    resource_version: str | None = None,
    grace_period_seconds: int | None = None,
    propagation_policy: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Delete one object; with a UID or resourceVersion only if it is still that one (else 409)."""
    options = _delete_options(grace_period_seconds, propagation_policy, dry_run=dry_run)
    preconditions = _some({"uid": uid, "resourceVersion": resource_version})
    if preconditions:
        options["preconditions"] = preconditions
    return Request("DELETE", _path(resource, namespace, _given(name), None), {}, _JSON, _ENCODE(options))


def delete_collection(
    resource: Resource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    grace_period_seconds: int | None = None,
    propagation_policy: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Delete all objects that match. A namespaced resource needs its namespace: nothing is deleted everywhere."""
    if resource.namespaced and not namespace:
        raise ValueError(f"deleting a collection of {resource.plural} needs a namespace")
    params = _some({"labelSelector": label_selector, "fieldSelector": field_selector})
    options = _delete_options(grace_period_seconds, propagation_policy, dry_run=dry_run)
    return Request("DELETE", _path(resource, namespace, None, None), params, _JSON, _ENCODE(options))


def _delete_options(grace_period_seconds: int | None, propagation_policy: str | None, *, dry_run: bool) -> Obj:
    options: Obj = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if grace_period_seconds is not None:
        options["gracePeriodSeconds"] = grace_period_seconds
    if propagation_policy is not None:
        options["propagationPolicy"] = propagation_policy
    if dry_run:
        options["dryRun"] = ["All"]
    return options


def _write_params(field_manager: str | None, *, dry_run: bool) -> dict[str, str]:
    return _some({"fieldManager": field_manager, "dryRun": "All" if dry_run else None})


def _some(params: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in params.items() if value}


def _path(resource: Resource, namespace: str | None, name: str | None, subresource: str | None) -> str:
    # "" is how caches spell "no namespace"; in a path it would mean another resource
    space = _segment(namespace) if namespace else None
    return resource.path(space, None if name is None else _segment(name), subresource)


def _given(name: str) -> str:
    """An empty name would turn a request about one object into one about all of them."""
    if not name:
        raise ValueError("the name of the object is empty")
    return name


def _segment(text: str) -> str:
    if text in {".", ".."}:
        raise ValueError(f"{text!r} is not a name")
    return urllib.parse.quote(text, safe=_SAFE)
