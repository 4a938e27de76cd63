from __future__ import annotations

import datetime
from typing import Any

import pytest

from nestling.drivers.helm import reach

NOW = datetime.datetime(2026, 1, 2, 3, 10, 0, tzinfo=datetime.UTC)
CONFIG = {"clusters": [{"name": "kubernetes", "cluster": {"server": "https://localhost:8443"}}]}


def service(kind: str = "ClusterIP", *, ingress: list[dict[str, str]] | None = None, **port: Any) -> dict[str, Any]:
    return {
        "metadata": {"creationTimestamp": "2026-01-02T03:04:59Z"},
        "spec": {"type": kind, "ports": [{"name": "kubelet", "nodePort": 1}, {"name": "https", **port}]},
        "status": {"loadBalancer": {"ingress": ingress} if ingress else {}},
    }


def node(*addresses: str) -> dict[str, Any]:
    types = ("InternalIP", "Hostname", "ExternalIP")
    return {
        "status": {"addresses": [{"type": one, "address": text} for one, text in zip(types, addresses, strict=False)]}
    }


def test_a_load_balancer_is_reached_by_name_or_address() -> None:
    entries = [{"hostname": "lb.example.org"}, {"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}, {}]
    expected = ["https://lb.example.org", "https://192.0.2.1", "https://[2001:db8::1]"]
    assert reach.balancer(service("LoadBalancer", ingress=entries)) == expected
    assert reach.balancer({}) == []


def test_an_address_of_a_load_balancer_is_waited_for_in_the_first_minutes_only() -> None:
    young = NOW - datetime.timedelta(minutes=1)
    assert reach.awaits_balancer(service("LoadBalancer"), young)
    assert not reach.awaits_balancer(service("LoadBalancer"), NOW)
    assert not reach.awaits_balancer(service("LoadBalancer", ingress=[{"ip": "192.0.2.1"}]), young)
    assert not reach.awaits_balancer(service(), young)
    assert not reach.awaits_balancer({}, young)


def test_a_node_port_is_tried_on_the_addresses_of_some_nodes() -> None:
    found = service("NodePort", nodePort=30443)
    nodes = [node("10.0.0.1", "n1", "192.0.2.1"), node("fd00::1"), node("10.0.0.3"), node("10.0.0.4")]
    assert reach.node_port(found, nodes, desktop=False) == [
        "https://10.0.0.1:30443",
        "https://192.0.2.1:30443",
        "https://[fd00::1]:30443",
        "https://10.0.0.3:30443",
    ]
    assert reach.node_port(found, [], desktop=True) == ["https://localhost:30443"]
    assert reach.node_port(service(), nodes, desktop=True) == []


@pytest.mark.parametrize("server", ["https://localhost:8443", "https://127.0.0.1:8443", "https://[::1]:8443", ""])
def test_a_server_on_loopback_is_the_pods_and_not_ours(server: str) -> None:
    assert reach.exported_server(reach.with_server(CONFIG, server)) == []


def test_the_server_that_the_values_name_is_tried() -> None:
    assert reach.exported_server(reach.with_server(CONFIG, "https://vc.example.org")) == ["https://vc.example.org"]


def test_another_server_leaves_the_kubeconfig_as_it_was() -> None:
    assert reach.with_server(CONFIG, "https://x")["clusters"][0]["cluster"]["server"] == "https://x"
    assert CONFIG["clusters"][0]["cluster"] == {"server": "https://localhost:8443"}


def test_the_port_in_the_pod_is_that_of_the_service() -> None:
    assert reach.remote_port(service(targetPort=9443)) == 9443
    assert reach.remote_port(service(targetPort="https")) == 8443
    assert reach.remote_port({}) == 8443


@pytest.mark.parametrize(
    ("address", "url"),
    [("127.0.0.1", "https://localhost:1"), ("192.0.2.1", "https://192.0.2.1:1"), ("fd00::1", "https://[fd00::1]:1")],
)
def test_the_address_of_a_local_port(address: str, url: str) -> None:
    assert reach.url(address, 1) == url
