"""The names under which clients reach the virtual API server, for its certificate (spec §3.4)."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Iterable

from nestling.config import model
from nestling.controlplane import settings
from nestling.kube.resource import Obj


def load_balancer(service: Obj) -> tuple[str, ...]:
    """Addresses and host names that a load balancer gave the host Service NAME."""
    entries = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    return tuple(value for entry in entries for key in ("ip", "hostname") if (value := entry.get(key)))


def cluster_ips(service: Obj) -> tuple[str, ...]:
    """The ClusterIPs of a service; empty for a headless one."""
    spec = service.get("spec", {})
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return tuple(address for address in addresses if address not in {None, "", "None"})


def host_of(text: str) -> str | None:
    """The host of a URL or of ``host[:port]``, an address as it is; None when there is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    parsed = urllib.parse.urlsplit(text if "://" in text else f"//{text}")
    return parsed.hostname


def names(config: model.VClusterConfig, syncer: settings.SyncerSettings) -> tuple[str, ...]:
    """All names and addresses, loopback aside, in a fixed order and without doubles."""
    name, namespace = syncer.name, syncer.namespace
    domain = config.networking.advanced.cluster_domain
    in_cluster = [f"kubernetes{end}" for end in ("", ".default", ".default.svc", f".default.svc.{domain}")]
    service = [name, f"{name}.{namespace}", f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local"]
    nodes = ["*.nodes.vcluster.com", f"*.{name}.{namespace}.nodes.vcluster.com"]
    facts = [*syncer.facts.cluster_ips, *syncer.facts.load_balancer, syncer.pod_ip]
    bound = None if syncer.bind_address in settings.ALL_ADDRESSES else syncer.bind_address
    candidates: Iterable[str | None] = [*in_cluster, *service, *nodes, *facts, bound, *_configured(config)]
    return tuple(dict.fromkeys(candidate for candidate in candidates if candidate and _usable(candidate)))


def _configured(config: model.VClusterConfig) -> list[str | None]:
    """Names from the configuration; without the servers of exported kubeconfigs those would not work."""
    control_plane, export = config.control_plane, config.export_kube_config
    servers = [control_plane.endpoint, export.server, *(secret.server for secret in export.additional_secrets)]
    return [
        *(host_of(name) for name in control_plane.proxy.extra_sans),
        control_plane.ingress.host if control_plane.ingress.enabled else None,
        control_plane.tls_route.host if control_plane.tls_route.enabled else None,
        *(host_of(server) for server in servers if server),
    ]


def _usable(name: str) -> bool:
    """False for what a certificate cannot carry: blanks, other alphabets, leftovers of a URL."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.isascii() and not any(character.isspace() or character in "/:" for character in name)
    return True
