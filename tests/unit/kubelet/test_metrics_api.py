"""The metrics API: what tenants see of the host's measurements, and that no name leads to those of others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from nestling.kube import client, errors, requests
from nestling.kube.resource import PODS, Obj, Resource
from nestling.kubelet import metrics_api, routes, wire
from nestling.naming import labels, names
from nestling.naming.tenant import Tenant, VirtualKey

TENANT = Tenant("my-vc", "team")
OTHER = Tenant("other", "team")
ROOT = "/apis/metrics.k8s.io/v1beta1"
USAGE = {"cpu": "2500000n", "memory": "2048Ki"}
Collections = Mapping[str, list[Obj]]


class Api:
    """An API server with collections by path; remembers the selectors that it was asked with."""

    def __init__(self, collections: Collections, *, error: Exception | None = None) -> None:
        self.collections, self.error = collections, error
        self.selectors: list[str] = []

    async def send(self, request: requests.Request) -> bytes:
        if self.error is not None:
            raise self.error
        self.selectors.append(request.params.get("labelSelector", ""))
        if request.path in self.collections:
            return json.dumps({"items": self.collections[request.path]}).encode()
        folder, _, name = request.path.rpartition("/")
        for one in self.collections.get(folder, []):
            if one["metadata"]["name"] == name:
                return json.dumps(one).encode()
        raise errors.NotFound(status=404, reason="NotFound", message="not found")

    async def list(self, resource: Resource, namespace: str | None = None, *, label_selector: str = "") -> list[Obj]:
        request = requests.Request("GET", resource.path(namespace), {"labelSelector": label_selector})
        found: list[Obj] = json.loads(await self.send(request))["items"]
        return found

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Obj:
        found: Obj = json.loads(await self.send(requests.get(resource, name, namespace)))
        return found


def virtual_pod(name: str, uid: str = "v") -> Obj:
    meta = {"name": name, "namespace": "default", "uid": uid, "labels": {"app": name}}
    return {"metadata": meta, "spec": {"containers": [{"name": "app"}]}}


def host_pod(name: str, tenant: Tenant = TENANT, uid: str = "v") -> Obj:
    key = VirtualKey("default", name)
    host = names.host_name(key, tenant)
    annotations = {
        labels.OBJECT_NAME: name,
        labels.OBJECT_NAMESPACE: "default",
        labels.OBJECT_UID: uid,
        labels.OBJECT_KIND: PODS.gvk,
        labels.OBJECT_HOST_NAME: host.name,
        labels.OBJECT_HOST_NAMESPACE: host.namespace,
    }
    own = labels.to_host({"app": name}, key, tenant)
    return {"metadata": {"name": host.name, "namespace": host.namespace, "labels": own, "annotations": annotations}}


def measured(name: str, *containers: str) -> Obj:
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"of": "the host"}},
        "timestamp": "2026-01-01T00:00:00Z",
        "window": "15s",
        "containers": [{"name": one, "usage": USAGE} for one in containers],
        "usage": USAGE,
    }


def host(pods: list[Obj], *more: str, nodes: tuple[str, ...] = (), services: tuple[str, ...] = ()) -> Api:
    """The host with these pods, each of them and ``more`` measured."""
    measurements = [measured(one["metadata"]["name"], "app", "injected") for one in pods]
    return Api(
        {
            "/api/v1/namespaces/team/pods": pods,
            f"{ROOT}/namespaces/team/pods": [*measurements, *(measured(one, "app") for one in more)],
            f"{ROOT}/nodes": [measured(one) for one in nodes],
            "/api/v1/namespaces/team/services": [
                {"metadata": {"name": one, "labels": {labels.BELONGS_TO: "my-vc", labels.NODE: one}}}
                for one in services
            ],
        }
    )


def api(virtual: Collections, on_host: Api, offered: frozenset[str] = frozenset({"pods", "nodes"})) -> Any:
    made = Api({"/api/v1/pods": [], "/api/v1/namespaces/default/pods": [], "/api/v1/nodes": [], **virtual})
    both = cast("client.Client", made), cast("client.Client", on_host)
    return metrics_api.MetricsApi(TENANT, *both, offered)


async def ask(asked: Any, path: str, *query: tuple[str, str], accept: str = "application/json") -> tuple[int, Obj]:
    head = wire.Head((("Accept", accept),), b"")
    code, body = await asked.answer(wire.Request("GET", path, query, head))
    return code, json.loads(body)


async def test_a_pod_is_shown_under_its_own_name_with_its_own_labels_and_containers() -> None:
    asked = api({"/api/v1/namespaces/default/pods": [virtual_pod("web")]}, host([host_pod("web")]))
    for path in (f"{ROOT}/namespaces/default/pods", f"{ROOT}/namespaces/default/pods/web"):
        code, found = await ask(asked, path)
        (one,) = found.get("items") or [found]
        assert code == 200
        assert one["metadata"] == {
            "name": "web",
            "namespace": "default",
            "labels": {"app": "web"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        assert [container["name"] for container in one["containers"]] == ["app"]
        assert "team" not in json.dumps(found)


@pytest.mark.parametrize(
    "on_host",
    [
        host([host_pod("web", OTHER)], names.host_name(VirtualKey("default", "web"), TENANT).name),
        host([host_pod("web", uid="of the one before")]),
        host([]),
        host([host_pod("web") | {"metadata": host_pod("web")["metadata"] | {"annotations": {}}}]),
    ],
    ids=["another tenant's", "the predecessor's", "none", "a copy without marks"],
)
async def test_a_pod_without_our_marks_is_nobodys(on_host: Api) -> None:
    asked = api({"/api/v1/namespaces/default/pods": [virtual_pod("web")]}, on_host)
    assert (await ask(asked, f"{ROOT}/namespaces/default/pods"))[1]["items"] == []
    assert (await ask(asked, f"{ROOT}/namespaces/default/pods/web"))[0] == 404


async def test_the_host_is_asked_for_the_tenants_pods_alone() -> None:
    on_host = host([host_pod("web")])
    asked = api({"/api/v1/namespaces/default/pods": [virtual_pod("web")]}, on_host)
    await ask(asked, f"{ROOT}/namespaces/default/pods", ("labelSelector", "release=a,!x"))
    assert on_host.selectors
    own = f"{labels.MANAGED_BY}=my-vc,{labels.NAMESPACE}=default"
    key = labels.label_key_to_host("release", TENANT)
    assert set(on_host.selectors) == {f"{own},{key}=a"}


@pytest.mark.parametrize(
    "path",
    [
        "/apis/metrics.k8s.io/v1",
        f"{ROOT}/namespaces/team/pods/web/log",
        f"{ROOT}/namespaces/../pods",
        f"{ROOT}/namespaces/a%2f..%2fteam/pods",
        f"{ROOT}//pods",
        f"{ROOT}/nodes/../pods",
        f"{ROOT}/secrets",
        f"{ROOT}/namespaces/default",
        "/apis/apps/v1/deployments",
    ],
)
async def test_other_paths_lead_nowhere(path: str) -> None:
    on_host = host([host_pod("web")], nodes=("n1",), services=("n1",))
    code, found = await ask(api({}, on_host), path)
    assert (code, found["kind"]) == (404, "Status")
    assert not on_host.selectors


async def test_a_node_is_shown_when_the_syncer_made_it_and_not_by_its_name() -> None:
    """A tenant may write a Node of any name."""
    nodes = [{"metadata": {"name": name, "labels": {labels.FAKE_NODE: "true"}}} for name in ("n1", "n2")]
    asked = api({"/api/v1/nodes": nodes}, host([], nodes=("n1", "n2", "n3"), services=("n1",)))
    found = (await ask(asked, f"{ROOT}/nodes"))[1]["items"]
    assert [(one["metadata"]["name"], one["usage"]) for one in found] == [("n1", USAGE)]
    assert (await ask(asked, f"{ROOT}/nodes/n1"))[0] == 200
    assert [(await ask(asked, f"{ROOT}/nodes/{name}"))[0] for name in ("n2", "n3")] == [404, 404]


async def test_what_is_not_offered_is_not_there() -> None:
    asked = api({}, host([], nodes=("n1",), services=("n1",)), frozenset({"pods"}))
    assert [one["name"] for one in (await ask(asked, ROOT))[1]["resources"]] == ["pods"]
    assert (await ask(asked, f"{ROOT}/nodes"))[0] == 404
    assert (await ask(asked, "/apis/metrics.k8s.io"))[1]["kind"] == "APIGroup"
    assert (await ask(asked, f"{ROOT}/pods", ("watch", "true")))[0] == 405


async def test_a_table_for_kubectl_get() -> None:
    asked = api({"/api/v1/namespaces/default/pods": [virtual_pod("web")]}, host([host_pod("web")]))
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    found = (await ask(asked, f"{ROOT}/namespaces/default/pods", accept=accept))[1]
    assert [row["cells"] for row in found["rows"]] == [["web", "3m", "2048Ki", "15s"]]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Forbidden(status=403, reason="Forbidden", message="secret words"), 403),
        (errors.NotFound(status=404, reason="NotFound", message="secret words"), 503),
        (errors.ConnectionFailed("https://secret words", "secret words"), 503),
    ],
)
async def test_a_host_that_does_not_answer_is_said_without_its_words(error: Exception, code: int) -> None:
    asked = api({"/api/v1/namespaces/default/pods": [virtual_pod("web")]}, Api({}, error=error))
    answered, found = await ask(asked, f"{ROOT}/namespaces/default/pods")
    assert (answered, found["code"]) == (code, code)
    assert "secret" not in found["message"]
    assert (await ask(asked, ROOT))[0] == 200, "discovery does not depend on the host"


def test_parse_knows_the_paths() -> None:
    assert metrics_api.parse(ROOT) == metrics_api.Asked()
    assert metrics_api.parse(f"{ROOT}/nodes/n.1") == metrics_api.Asked("nodes", name="n.1")
    assert metrics_api.parse(f"{ROOT}/namespaces/a/pods/b") == metrics_api.Asked("pods", "a", "b")
    with pytest.raises(routes.Refused):
        metrics_api.parse(f"{ROOT}/pods/web")
