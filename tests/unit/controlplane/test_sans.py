from __future__ import annotations

import dataclasses

import pytest

from nestling.controlplane import sans
from tests.unit.controlplane import samples


def test_the_names_of_spec_3_4() -> None:
    names = sans.names(samples.config(), samples.SYNCER)
    assert names == (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "my-vc",
        "my-vc.team-x",
        "my-vc.team-x.svc",
        "my-vc.team-x.svc.cluster.local",
        "*.nodes.vcluster.com",
        "*.my-vc.team-x.nodes.vcluster.com",
        "10.96.20.30",
        "10.244.1.7",
    )


def test_another_cluster_domain() -> None:
    config = samples.config("networking: {advanced: {clusterDomain: corp.example}}")
    assert "kubernetes.default.svc.corp.example" in sans.names(config, samples.SYNCER)


def test_extra_sans_and_exported_servers() -> None:
    config = samples.config(
        "{controlPlane: {proxy: {extraSANs: [vc.example.com, 203.0.113.7]}},"
        " exportKubeConfig: {server: 'https://api.example.com:443',"
        " additionalSecrets: [{name: a, server: 'https://other.example.com'}]}}"
    )
    names = sans.names(config, samples.SYNCER)
    expected = {"vc.example.com", "203.0.113.7", "api.example.com", "other.example.com"}
    assert expected <= set(names)


def test_the_ingress_host_only_while_the_ingress_is_on() -> None:
    off = samples.config("controlPlane: {ingress: {host: i.example}}")
    on = samples.config("controlPlane: {ingress: {enabled: true, host: i.example}}")
    assert "i.example" not in sans.names(off, samples.SYNCER)
    assert "i.example" in sans.names(on, samples.SYNCER)


def test_the_load_balancer_of_the_host_service() -> None:
    service = {"status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.4"}, {"hostname": "lb.example"}]}}}
    found = sans.load_balancer(service)
    assert found == ("198.51.100.4", "lb.example")
    syncer = dataclasses.replace(samples.SYNCER, facts=dataclasses.replace(samples.SYNCER.facts, load_balancer=found))
    assert {"198.51.100.4", "lb.example"} <= set(sans.names(samples.config(), syncer))


def test_the_bound_address_is_a_name() -> None:
    syncer = dataclasses.replace(samples.SYNCER, bind_address="192.168.7.8")
    assert "192.168.7.8" in sans.names(samples.config(), syncer)
    assert "0.0.0.0" not in sans.names(samples.config(), samples.SYNCER)


@pytest.mark.parametrize(
    ("text", "host"),
    [("https://a.b:1", "a.b"), ("a.b:443", "a.b"), ("a.b", "a.b"), ("::1", "::1"), ("https://[::1]:2", "::1")],
)
def test_host_of(text: str, host: str) -> None:
    assert sans.host_of(text) == host


def test_cluster_ips_of_a_headless_service() -> None:
    assert sans.cluster_ips({"spec": {"clusterIP": "None", "clusterIPs": ["None"]}}) == ()
