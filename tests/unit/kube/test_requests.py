from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from nestling.kube import requests
from nestling.kube.resource import CLUSTER_ROLES, CONFIG_MAPS, NODES, PODS, SERVICE_ACCOUNTS

_POD = {"metadata": {"name": "web", "namespace": "ns", "resourceVersion": "7"}}


def _body(request: requests.Request) -> Any:
    assert request.body is not None
    return json.loads(request.body)


def test_get() -> None:
    assert requests.get(PODS, "web", "ns") == requests.Request("GET", "/api/v1/namespaces/ns/pods/web")
    assert requests.get(PODS, "web", "ns", subresource="status").path.endswith("/web/status")


def test_raw() -> None:
    assert requests.raw("/version").headers == {"Accept": "application/json"}


def test_names_are_quoted() -> None:
    assert requests.get(CLUSTER_ROLES, "system:node").path.endswith("/clusterroles/system:node")
    assert requests.get(CLUSTER_ROLES, "a/b?c#d%").path.endswith("/clusterroles/a%2Fb%3Fc%23d%25")


def test_no_namespace_may_be_spelled_two_ways() -> None:
    assert requests.get(NODES, "n1", "") == requests.get(NODES, "n1")


@pytest.mark.parametrize("name", ["", ".", ".."])
@pytest.mark.parametrize(
    "build",
    [
        lambda name: requests.get(PODS, name, "ns"),
        lambda name: requests.delete(PODS, name, "ns"),
        lambda name: requests.patch(PODS, name, {}, "ns"),
        lambda name: requests.replace(PODS, {"metadata": {"name": name, "namespace": "ns"}}),
        lambda name: requests.create(PODS, {}, "ns", name=name, subresource="eviction"),
    ],
)
def test_a_request_for_one_object_never_becomes_one_for_all(build: Callable[[str], object], name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        build(name)


def test_a_namespace_cannot_climb() -> None:
    with pytest.raises(ValueError, match="is not a name"):
        requests.get(PODS, "web", "..")


def test_list() -> None:
    request = requests.list_(PODS, "ns", label_selector="a=b", limit=500, continue_="tok")
    assert (request.method, request.path) == ("GET", "/api/v1/namespaces/ns/pods")
    assert request.params == {"labelSelector": "a=b", "limit": "500", "continue": "tok"}
    assert requests.list_(PODS).params == {}


def test_watch_has_bookmarks() -> None:
    request = requests.watch(PODS, resource_version="12", field_selector="metadata.name=x", timeout_seconds=300)
    assert request.params == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "12",
        "fieldSelector": "metadata.name=x",
        "timeoutSeconds": "300",
    }


def test_create_adds_the_kind() -> None:
    request = requests.create(CONFIG_MAPS, {"data": {}}, "ns", field_manager="me", dry_run=True)
    assert (request.method, request.path) == ("POST", "/api/v1/namespaces/ns/configmaps")
    assert request.params == {"fieldManager": "me", "dryRun": "All"}
    assert _body(request) == {"apiVersion": "v1", "kind": "ConfigMap", "data": {}}


def test_create_of_a_subresource_keeps_its_own_kind() -> None:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    request = requests.create(SERVICE_ACCOUNTS, body, "ns", name="bot", subresource="token")
    assert request.path == "/api/v1/namespaces/ns/serviceaccounts/bot/token"
    assert _body(request) == body


def test_create_with_half_an_address() -> None:
    with pytest.raises(ValueError, match="subresource"):
        requests.create(PODS, {}, "ns", name="web")


def test_replace_sends_the_precondition() -> None:
    request = requests.replace(PODS, _POD, subresource="status")
    assert (request.method, request.path) == ("PUT", "/api/v1/namespaces/ns/pods/web/status")
    assert _body(request) == {"apiVersion": "v1", "kind": "Pod", **_POD}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (requests.PatchType.JSON, "application/json-patch+json"),
        (requests.PatchType.MERGE, "application/merge-patch+json"),
        (requests.PatchType.STRATEGIC, "application/strategic-merge-patch+json"),
        (requests.PatchType.APPLY, "application/apply-patch+yaml"),
    ],
)
def test_patch_says_how_it_is_meant(kind: requests.PatchType, content: str) -> None:
    request = requests.patch(PODS, "web", {"a": 1}, "ns", patch_type=kind, field_manager="me")
    assert request.method == "PATCH"
    assert request.headers == {"Content-Type": content}
    assert request.params == {"fieldManager": "me"}


def test_json_patch_is_a_list() -> None:
    steps = [{"op": "remove", "path": "/a"}]
    assert _body(requests.patch(PODS, "web", steps, "ns", patch_type=requests.PatchType.JSON)) == steps


def test_apply_needs_a_manager() -> None:
    with pytest.raises(ValueError, match="field_manager"):
        requests.patch(PODS, "web", {}, "ns", patch_type=requests.PatchType.APPLY)
    forced = requests.patch(PODS, "w", {}, "ns", patch_type=requests.PatchType.APPLY, field_manager="me", force=True)
    assert forced.params == {"fieldManager": "me", "force": "true"}


def test_delete_with_preconditions() -> None:
    request = requests.delete(
        PODS, "web", "ns", uid="u", resource_version="7", grace_period_seconds=0, propagation_policy="Background"
    )
    assert request.method == "DELETE"
    assert _body(request) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
    }
    assert "preconditions" not in _body(requests.delete(PODS, "web", "ns"))
    assert _body(requests.delete(PODS, "web", "ns", dry_run=True))["dryRun"] == ["All"]


def test_delete_collection_never_spans_namespaces() -> None:
    with pytest.raises(ValueError, match="namespace"):
        requests.delete_collection(PODS, label_selector="a=b")
    request = requests.delete_collection(PODS, "ns", label_selector="a=b")
    assert (request.path, request.params) == ("/api/v1/namespaces/ns/pods", {"labelSelector": "a=b"})
