from __future__ import annotations

import pytest

from nestling.kube import resource

_DEPLOYMENTS = resource.Resource("apps", "v1", "deployments", "Deployment")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (resource.PODS.path(), "/api/v1/pods"),
        (resource.PODS.path("ns"), "/api/v1/namespaces/ns/pods"),
        (resource.PODS.path("ns", "web", "log"), "/api/v1/namespaces/ns/pods/web/log"),
        (_DEPLOYMENTS.path("ns", "web"), "/apis/apps/v1/namespaces/ns/deployments/web"),
        (resource.NODES.path("ignored", "n1"), "/api/v1/nodes/n1"),
    ],
)
def test_path(path: str, expected: str) -> None:
    assert path == expected


def test_names_of_a_kind() -> None:
    assert resource.PODS.api_version == "v1"
    assert _DEPLOYMENTS.api_version == "apps/v1"
    assert resource.PODS.gvk == "/v1, Kind=Pod"
    assert _DEPLOYMENTS.gvk == "apps/v1, Kind=Deployment"


def test_decode_keeps_what_it_does_not_know() -> None:
    assert resource.decode(b'{"kind": "X", "new": {"field": [1, null]}}') == {"kind": "X", "new": {"field": [1, None]}}
