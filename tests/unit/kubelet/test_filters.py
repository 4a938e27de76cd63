"""Statistics and metrics of a shared node: the tenant's pods in its names, and nobody else's."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nestling.kubelet import access, filters, node, routes
from nestling.naming.tenant import Tenant
from tests.unit.kubelet.conftest import TARGET

OWN = dataclasses.replace(TARGET, claims={"data-x-default-x-my-vc": "data"})
NAME = OWN.host_key.name
METRICS = f"""# HELP cpu_seconds CPU.
# TYPE cpu_seconds counter
cpu_seconds{{container="app",id="/pod-h-1/c",image="i",name="c0ffee",namespace="team-x",pod="{NAME}"}} 1.5 170000000
cpu_seconds{{container="injected",namespace="team-x",pod="{NAME}"}} 2
cpu_seconds{{container="app",namespace="team-y",pod="{NAME}"}} 3
cpu_seconds{{container="app",namespace="team-x",pod="web-x-default-x-other"}} 4
cpu_seconds{{container="",id="/",image="",name="",namespace="",pod=""}} 5
cpu_seconds{{container="",id="/kubepods/foreign",image="",name="",namespace="",pod=""}} 6
kubelet_volume_stats_used_bytes{{namespace="team-x",persistentvolumeclaim="data-x-default-x-my-vc"}} 7
kubelet_volume_stats_used_bytes{{namespace="team-x",persistentvolumeclaim="data-x-default-x-other"}} 8
kubelet_volume_stats_used_bytes{{namespace="team-y",persistentvolumeclaim="data-x-default-x-my-vc"}} 9
probe_total{{namespace="team-x",note="a \\"}}{{,b=\\"c",pod="{NAME}",pod_uid="h-1"}} 10
kubelet_running_pods 11
secret_of{{namespace="team-y"}} 12
broken{{pod="{NAME}" 13
broken{{=}} 14
"""


def test_metrics() -> None:
    assert filters.metrics(METRICS, [OWN]).splitlines()[2:] == [
        'cpu_seconds{container="app",id="",image="i",name="",namespace="default",pod="web"} 1.5 170000000',
        'cpu_seconds{container="",id="/",image="",name="",namespace="",pod=""} 5',
        'kubelet_volume_stats_used_bytes{namespace="default",persistentvolumeclaim="data"} 7',
        'probe_total{namespace="default",note="a \\"}{,b=\\"c",pod="web",pod_uid="v-1"} 10',
        "kubelet_running_pods 11",
    ]


def test_nothing_of_the_host_is_left_in_metrics() -> None:
    shown = filters.metrics(METRICS, [OWN])
    assert not any(word in shown for word in ("team-", "my-vc", "other", "c0ffee", "h-1", "injected", "foreign"))


def pod_stats(name: str = NAME, uid: str = "h-1", namespace: str = "team-x") -> dict[str, Any]:
    return {
        "podRef": {"name": name, "namespace": namespace, "uid": uid},
        "containers": [{"name": "app", "cpu": {}}, {"name": "injected"}],
        "volume": [
            {"name": "v", "pvcRef": {"name": "data-x-default-x-my-vc", "namespace": "team-x"}},
            {"name": "w", "pvcRef": {"name": "foreign", "namespace": "team-y"}},
        ],
    }


def test_summary() -> None:
    foreign = [pod_stats(uid="h-0"), pod_stats(namespace="team-y"), pod_stats("web-x-default-x-other")]
    document = {"node": {"nodeName": "n1", "cpu": {}, "systemContainers": [{}]}, "pods": [pod_stats(), *foreign]}
    assert filters.summary(document, [OWN], "n1") == {
        "node": {"nodeName": "n1", "cpu": {}},
        "pods": [
            {
                "podRef": {"name": "web", "namespace": "default", "uid": "v-1"},
                "containers": [{"name": "app", "cpu": {}}],
                "volume": [{"name": "v", "pvcRef": {"name": "data", "namespace": "default"}}, {"name": "w"}],
            }
        ],
    }


NODES = [
    {"metadata": {"name": name}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}
    for name, address in (("n.1", "10.0.0.1"), ("n2", "fd00::2"))
]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.0.0.1:10250", "n.1"),
        ("[fd00::2]:10250", "n2"),
        ("n-1.nodes.vcluster.com", "n.1"),
        ("n2.my-vc.team-x.nodes.vcluster.com:10250", "n2"),
    ],
)
def test_the_node_is_told_by_the_address(address: str, name: str) -> None:
    assert node.choose(NODES, address, Tenant("my-vc", "team-x")) == name


@pytest.mark.parametrize("address", ["127.0.0.1:10250", "n9.nodes.vcluster.com", "n2.other.team-x.nodes.vcluster.com"])
def test_no_node_is_guessed(address: str) -> None:
    with pytest.raises(routes.Refused):
        node.choose(NODES, address, Tenant("my-vc", "team-x"))
    assert node.choose(NODES[:1], address, Tenant("my-vc", "team-x")) == "n.1"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/api/v1/nodes/n1/proxy/stats/summary", "n1"),
        ("/api/v1/nodes/n1/proxy/", "n1"),
        ("/api/v1/nodes/n.1:10250/proxy/metrics", "n.1"),
        ("/api/v1/nodes/https:n1:10250/proxy/metrics", "n1"),
        ("/api/v1/nodes/n1/log", ""),
        ("/api/v1/nodes/../n1/proxy/metrics", ""),
        ("/api/v1/nodes//proxy/metrics", ""),
        ("/apis/x/v1/nodes/n1/proxy/metrics", ""),
    ],
)
def test_the_api_server_says_for_which_node_it_was_asked(uri: str, name: str) -> None:
    assert node.proxied([uri]) == name
    assert node.proxied([uri, uri]) == node.proxied([]) == ""


def test_a_node_that_is_not_there_is_not_replaced_by_another() -> None:
    assert node.by_name(NODES, "n2") == "n2"
    with pytest.raises(routes.Refused, match="n3"):
        node.by_name(NODES[:1], "n3")


@pytest.mark.parametrize(
    ("kind", "subresource"),
    [
        (routes.Kind.STATS, "stats"),
        (routes.Kind.METRICS, "metrics"),
        (routes.Kind.PODS, "proxy"),
        (routes.Kind.LOGS, "proxy"),
    ],
)
def test_what_a_token_must_be_good_for(kind: routes.Kind, subresource: str) -> None:
    review = access.access_review({"username": "prometheus", "groups": ["g"]}, routes.Route(kind), "n1")
    assert review["spec"]["user"] == "prometheus"
    assert review["spec"]["resourceAttributes"] == {
        "version": "v1",
        "resource": "nodes",
        "subresource": subresource,
        "verb": "get",
        "name": "n1",
    }


def test_a_path_of_its_own_and_no_streams() -> None:
    component = routes.Route(routes.Kind.COMPONENT, component="etcd", path="/metrics/etcd")
    assert access.access_review({}, component, "")["spec"]["nonResourceAttributes"] == {
        "path": "/metrics/etcd",
        "verb": "get",
    }
    for kind in routes.STREAMS:
        with pytest.raises(routes.Refused):
            access.access_review({}, routes.Route(kind), "")
