"""The Corefile of the virtual cluster's name server (spec §3.1), as text: for its pods, and for the embedded one."""

from __future__ import annotations

import dataclasses
from typing import Final

from nestling.config import model
from nestling.controlplane import resolved_names
from nestling.naming import name_server

PORT: Final = name_server.PORT
METRICS_PORT: Final = 9153
HEALTH_PORT: Final = 8080
READY_PORT: Final = 8181
DEFAULT_DOMAIN: Final = "cluster.local"
#: Where CoreDNS finds upstream servers unless it is told otherwise: those of its node or machine.
RESOLVERS: Final = "/etc/resolv.conf"


@dataclasses.dataclass(frozen=True, slots=True)
class Embedded:
    """Where the name server in the control plane listens, and the files that it reads."""

    kubeconfig: str
    node_hosts: str
    #: The one address to listen on for questions, "" for all of them.
    address: str = ""
    port: int = PORT
    #: ``address:port`` each.
    health: str = f":{HEALTH_PORT}"
    ready: str = f":{READY_PORT}"
    metrics: str = f":{METRICS_PORT}"


def text(config: model.VClusterConfig, *, host_dns: str, embedded: Embedded | None = None) -> str:
    """One server for the cluster's names, node names and, for everything else, the resolvers of the node.

    ``host_dns`` answers what the virtual cluster does not know if ``fallbackHostCluster`` says so. The embedded server
    reads nothing that a tenant writes: neither the ConfigMap's Corefile nor ``coredns-custom``.
    """
    port = embedded.port if embedded else PORT
    block = [f".:{port} {{", *(f"    {line}" for line in _body(config, host_dns, embedded)), "}"]
    if embedded is None:
        return "\n".join([*block, "", "import /etc/coredns/custom/*.server", ""])
    rules = config.networking.resolve_dns
    other = resolved_names.host_block(rules, host_dns=host_dns, port=port, address=embedded.address)
    return "\n".join([*block, *other, ""])


def _body(config: model.VClusterConfig, host_dns: str, embedded: Embedded | None) -> list[str]:
    return [
        *([f"bind {embedded.address}"] if embedded and embedded.address else []),
        "errors",
        f"health {embedded.health}" if embedded else "health",
        f"ready {embedded.ready}" if embedded else "ready",
        *_resolved(config, embedded),
        *_node_names(config),
        *_kubernetes(config, embedded),
        f"hosts {embedded.node_hosts if embedded else '/etc/coredns/NodeHosts'} {{",
        "    ttl 60",
        "    reload 15s",
        "    fallthrough",
        "}",
        f"prometheus {embedded.metrics if embedded else f':{METRICS_PORT}'}",
        *_forward(config, host_dns),
        "cache 30",
        "loop",
        *([] if embedded else ["reload"]),
        "loadbalance",
    ]


def _resolved(config: model.VClusterConfig, embedded: Embedded | None) -> list[str]:
    """Names of the operator's choice; only the embedded server has them."""
    if embedded is None:
        return []
    server = f"{_bracketed(embedded.address) or '127.0.0.1'}:{embedded.port}"
    return resolved_names.lines(config.networking.resolve_dns, domains=domains(config), server=server)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _node_names(config: model.VClusterConfig) -> list[str]:
    if not config.networking.advanced.proxy_kubelets.by_hostname:
        return []
    return [rf"rewrite name regex .*\.nodes\.vcluster\.com kubernetes.default.svc.{DEFAULT_DOMAIN}"]


def _kubernetes(config: model.VClusterConfig, embedded: Embedded | None) -> list[str]:
    own = [domain for domain in domains(config) if domain != DEFAULT_DOMAIN]
    reverse = "in-addr.arpa ip6.arpa"
    passed_on = [DEFAULT_DOMAIN, reverse] if config.networking.advanced.fallback_host_cluster else [reverse]
    return [
        f"kubernetes {' '.join([*own, DEFAULT_DOMAIN, reverse])} {{",
        *([f"    kubeconfig {embedded.kubeconfig}"] if embedded else []),
        "    pods insecure",
        f"    fallthrough {' '.join(passed_on)}",
        "}",
    ]


def _forward(config: model.VClusterConfig, host_dns: str) -> list[str]:
    if config.networking.advanced.fallback_host_cluster:
        return [f"forward . {host_dns}"]
    policy = config.policies.network_policy
    if policy.enabled and policy.fallback_dns:
        return [f"forward . {RESOLVERS} {policy.fallback_dns} {{", "    policy sequential", "}"]
    return [f"forward . {RESOLVERS}"]


def domains(config: model.VClusterConfig) -> tuple[str, ...]:
    """The domains of Services, the configured one first."""
    return tuple(dict.fromkeys((config.networking.advanced.cluster_domain, DEFAULT_DOMAIN)))
