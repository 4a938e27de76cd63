from __future__ import annotations

import json
from typing import Any

from nestling.kube import discovery, errors, requests
from nestling.kube.resource import PODS, Resource

_HPA2 = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
_HPA1 = Resource("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler")


def _offer(plural: str, kind: str, *verbs: str, scope: str = "Namespaced") -> dict[str, Any]:
    return {
        "resource": plural,
        "responseKind": {"kind": kind},
        "scope": scope,
        "verbs": verbs,
        "shortNames": [plural[:2]],
    }


def _groups(*items: Any) -> dict[str, Any]:
    return {"kind": "APIGroupDiscoveryList", "items": items}


def _group(name: str, **versions: list[dict[str, Any]]) -> dict[str, Any]:
    found = [{"version": version, "resources": offers} for version, offers in versions.items()]
    return {"metadata": {"name": name} if name else {}, "versions": found}


class Paths:
    """Answers by path."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.accepts: list[str] = []

    async def send(self, request: requests.Request) -> bytes:
        self.accepts.append(request.headers["Accept"])
        answer = self.answers[request.path]
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()


_AGGREGATED = Paths(
    {
        "/api": _groups(_group("", v1=[_offer("pods", "Pod", "get", "list"), _offer("bindings", "Binding", "create")])),
        "/apis": _groups(
            _group(
                "autoscaling",
                v2=[_offer("horizontalpodautoscalers", "HorizontalPodAutoscaler", "list")],
                v1=[_offer("horizontalpodautoscalers", "HorizontalPodAutoscaler", "list")],
            ),
            {"metadata": {"name": "down"}, "versions": [{"version": "v1", "freshness": "Stale"}]},
        ),
    }
)
_LEGACY = Paths(
    {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "groups": [
                {
                    "name": "autoscaling",
                    "versions": [{"version": "v1"}, {"version": "v2"}],
                    "preferredVersion": {"version": "v2"},
                },
                {"name": "down", "versions": [{"version": "v1"}]},
            ],
        },
        "/api/v1": {
            "resources": [
                {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["list"]},
                {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
                {"name": "bindings", "kind": "Binding", "namespaced": True, "verbs": ["create"]},
            ]
        },
        "/apis/autoscaling/v1": {
            "resources": [
                {"name": _HPA1.plural, "kind": _HPA1.kind, "namespaced": True, "verbs": ["list"], "shortNames": ["hpa"]}
            ]
        },
        "/apis/autoscaling/v2": {
            "resources": [{"name": _HPA2.plural, "kind": _HPA2.kind, "namespaced": True, "verbs": ["list"]}]
        },
        "/apis/down/v1": errors.from_response(503, b""),
    }
)


async def test_aggregated_in_two_requests() -> None:
    assert await discovery.resources(_AGGREGATED) == [PODS, _HPA2]
    assert len(_AGGREGATED.accepts) == 2
    assert "as=APIGroupDiscoveryList" in _AGGREGATED.accepts[0]


async def test_older_servers_group_by_group() -> None:
    assert await discovery.resources(_LEGACY) == [PODS, _HPA2]


async def test_by_verb() -> None:
    for server in (_AGGREGATED, _LEGACY):
        assert [found.kind for found in await discovery.resources(server, verb="create")] == ["Binding"]
        assert [found.kind for found in await discovery.resources(server, verb=None)] == [
            "Pod",
            "Binding",
            "HorizontalPodAutoscaler",
        ]


async def test_find_a_kind() -> None:
    for server in (_AGGREGATED, _LEGACY):
        assert await discovery.find(server, "HorizontalPodAutoscaler") == _HPA2
        assert await discovery.find(server, "HorizontalPodAutoscaler", version="v1") == _HPA1
        assert await discovery.find(server, "Pod", group="") == PODS
        assert await discovery.find(server, "Pod", group="apps") is None
