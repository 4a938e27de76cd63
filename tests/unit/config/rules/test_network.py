from __future__ import annotations

import pytest

from tests.unit.config.support import config, problem, where


@pytest.mark.parametrize("key", ["serviceCIDR", "networking.serviceCIDR", "networking.podCIDR"])
@pytest.mark.parametrize("text", ["10.96.0.0", "10.96.0.1/12", "x", "10.0.0.0/8\\,11.0.0.0/8", "10.0.0.0/40"])
def test_address_ranges_are_networks_one_per_family(key: str, text: str) -> None:
    assert problem("", sets=(f"{key}={text}",)).path == key


def test_two_families_pass() -> None:
    assert config("serviceCIDR: '10.96.0.0/12,fd00::/108'").service_cidr == "10.96.0.0/12,fd00::/108"


@pytest.mark.parametrize("domain", ["", "Cluster.Local", "a..b", "-x"])
def test_the_cluster_domain_is_a_host_name(domain: str) -> None:
    assert (
        problem(f"networking: {{advanced: {{clusterDomain: '{domain}'}}}}").path == "networking.advanced.clusterDomain"
    )


@pytest.mark.parametrize(
    ("side", "source", "target"),
    [("toHost", "default/web", "web"), ("fromHost", "infra/db", "default/db"), ("fromHost", "db", "default/db")],
)
def test_replicated_services_that_are_sound(side: str, source: str, target: str) -> None:
    config(f"networking: {{replicateServices: {{{side}: [{{from: {source}, to: {target}}}]}}}}")


@pytest.mark.parametrize(
    ("side", "source", "target", "key"),
    [
        ("toHost", "web", "web", "from"),
        ("toHost", "default/web", "ns/web", "to"),
        ("fromHost", "a/b/c", "default/db", "from"),
        ("fromHost", "infra/db", "db", "to"),
        ("fromHost", "", "default/db", "from"),
    ],
)
def test_replicated_services_that_are_not(side: str, source: str, target: str, key: str) -> None:
    found = problem(f"networking: {{replicateServices: {{{side}: [{{from: '{source}', to: {target}}}]}}}}")
    assert found.path == f"networking.replicateServices.{side}[0].{key}"


def dns(entry: str) -> str:
    return f"controlPlane: {{coredns: {{embedded: true}}}}\nnetworking: {{resolveDNS: [{entry}]}}"


@pytest.mark.parametrize(
    "entry",
    [
        "{hostname: a.example, target: {ip: 10.0.0.1}}",
        "{hostname: '*.example', target: {hostname: b.example}}",
        "{service: default/web, target: {hostService: infra/web}}",
        "{namespace: default, target: {hostNamespace: infra}}",
        "{service: default/web, target: {vClusterService: ns/vc/default/web}}",
    ],
)
def test_resolved_names_that_are_sound(entry: str) -> None:
    config(dns(entry))


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("{target: {ip: 10.0.0.1}}", ""),
        ("{hostname: a, service: b/c, target: {ip: 10.0.0.1}}", ""),
        ("{hostname: a}", ".target"),
        ("{hostname: a, target: {ip: 10.0.0.1, hostname: b}}", ".target"),
        ("{hostname: 'a b', target: {ip: 10.0.0.1}}", ".hostname"),
        ("{service: web, target: {ip: 10.0.0.1}}", ".service"),
        ("{namespace: A, target: {hostNamespace: b}}", ".namespace"),
        ("{hostname: a, target: {ip: nope}}", ".target.ip"),
        ("{hostname: a, target: {hostService: web}}", ".target.hostService"),
        ("{hostname: a, target: {vClusterService: a/b/c}}", ".target.vClusterService"),
    ],
)
def test_resolved_names_that_are_not(entry: str, path: str) -> None:
    assert problem(dns(entry)).path == f"networking.resolveDNS[0]{path}"


def test_two_replicated_services_have_two_names() -> None:
    found = problem("networking: {replicateServices: {toHost: [{from: a/b, to: x}, {from: a/c, to: x}]}}")
    assert found.path == "networking.replicateServices.toHost[1].to"


def test_a_host_name_has_no_service_to_look_for_in_a_namespace() -> None:
    found = problem(dns("{hostname: a.example, target: {hostNamespace: data}}"))
    assert found.path == "networking.resolveDNS[0].target.hostNamespace"


def test_resolved_names_need_the_embedded_coredns() -> None:
    assert where("networking: {resolveDNS: [{hostname: a, target: {ip: 10.0.0.1}}]}") == ["networking.resolveDNS"]


@pytest.mark.parametrize("name", ["https://vc.example.com", "vc.example.com:8443", "a b", ""])
def test_extra_names_of_the_certificate_are_host_names_or_addresses(name: str) -> None:
    assert problem(f"controlPlane: {{proxy: {{extraSANs: [ok.example, '{name}']}}}}").path == (
        "controlPlane.proxy.extraSANs[1]"
    )


def test_good_names_of_the_certificate_pass() -> None:
    config("controlPlane: {proxy: {extraSANs: ['*.example.com', 10.0.0.1, '::1', vc.ns.svc]}}")


@pytest.mark.parametrize(
    ("key", "port"),
    [
        ("controlPlane.proxy.port", "0"),
        ("controlPlane.proxy.port", "70000"),
        ("controlPlane.service.httpsNodePort", "-1"),
        ("controlPlane.service.kubeletNodePort", "70000"),
    ],
)
def test_ports_are_in_range(key: str, port: str) -> None:
    assert problem("", sets=(f"{key}={port}",)).path == key


def test_two_node_ports_differ() -> None:
    found = problem("controlPlane: {service: {httpsNodePort: 30443, kubeletNodePort: 30443}}")
    assert found.message == "is the same as httpsNodePort"
