"""The Corefile, word for word (spec §3.1)."""

from __future__ import annotations

from nestling.config import load, model
from nestling.controlplane import corefile, embedded_dns
from tests.unit.controlplane import samples

FALLBACK = "networking.advanced.fallbackHostCluster=true"
POLICY = "policies.networkPolicy.enabled=true"
EMBEDDED = "controlPlane.coredns.embedded=true"
DEFAULT = r"""
.:1053 {
    errors
    health
    ready
    rewrite name regex .*\.nodes\.vcluster\.com kubernetes.default.svc.cluster.local
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
        ttl 60
        reload 15s
        fallthrough
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}

import /etc/coredns/custom/*.server
"""


def config(*sets: str) -> model.VClusterConfig:
    return load.load([], list(sets), refuse_unsupported=False)


def text(*sets: str) -> str:
    return corefile.text(config(*sets), host_dns="10.96.0.10")


def test_the_default() -> None:
    assert text() == DEFAULT.lstrip()


def test_another_domain_comes_first_and_cluster_local_stays() -> None:
    assert "kubernetes team.example cluster.local in-addr.arpa ip6.arpa {" in text(
        "networking.advanced.clusterDomain=team.example"
    )


def test_node_names_are_left_out_when_nodes_are_not_found_by_name() -> None:
    assert "vcluster.com" not in text("networking.advanced.proxyKubelets.byHostname=false")


def test_what_is_unknown_goes_to_the_host() -> None:
    found = text(FALLBACK)
    assert "        fallthrough cluster.local in-addr.arpa ip6.arpa\n" in found
    assert "    forward . 10.96.0.10\n" in found


def test_behind_network_policies_there_is_a_second_choice() -> None:
    assert "    forward . /etc/resolv.conf 8.8.8.8 {\n        policy sequential\n    }\n" in text(POLICY)
    assert "forward . 10.96.0.10\n" in text(POLICY, FALLBACK)
    assert "forward . /etc/resolv.conf\n" in text(POLICY, "policies.networkPolicy.fallbackDns=")


def test_the_embedded_server_reads_nothing_that_tenants_write() -> None:
    found = embedded_dns.text(config(EMBEDDED), samples.SYNCER, host_dns="10.96.0.10")
    assert found.startswith(".:1053 {\n    errors\n    health 127.0.0.1:8080\n    ready 127.0.0.1:8181\n")
    assert "        kubeconfig /data/pki/admin.conf\n" in found
    assert "hosts /data/run/NodeHosts {" in found
    assert "prometheus :9153" in found
    assert all(word not in found for word in ("import", "reload\n", "bind", "/etc/coredns"))


def test_the_embedded_server_of_a_machine_keeps_to_its_address_and_ports() -> None:
    inputs = samples.inputs(bind_address="10.89.0.1", host_kubeconfig=samples.SYNCER.config_file)
    found = embedded_dns.text(config(EMBEDDED), inputs.syncer, host_dns="10.96.0.10")
    assert found.startswith(".:1053 {\n    bind 10.89.0.1\n")
    assert "prometheus 127.0.0.1:9153" in found


def test_a_corefile_of_the_user_replaces_ours() -> None:
    written = "controlPlane.coredns.overwriteConfig=.:1053 {}"
    assert embedded_dns.text(config(EMBEDDED, written), samples.SYNCER, host_dns="") == ".:1053 {}"
