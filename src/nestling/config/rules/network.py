"""Addresses, names and Services across the border (spec §3.1, §3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nestling.config import errors, model
from nestling.config.models import networking_keys
from nestling.config.rules import names, paths

_REPLICATE: Final = "networking.replicateServices"
_RESOLVE: Final = "networking.resolveDNS"


def address_ranges(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Service and pod addresses are one range, or one of IPv4 and one of IPv6 with a comma between."""
    ranges = {
        "serviceCIDR": config.service_cidr or "",
        "networking.serviceCIDR": config.networking.service_cidr or "",
        "networking.podCIDR": config.networking.pod_cidr,
    }
    for key, text in ranges.items():
        if not text:
            continue
        networks = [names.network(part.strip()) for part in text.split(",")]
        versions = [network.version for network in networks if network is not None]
        if None in networks or len(networks) > 2 or len(set(versions)) != len(versions):
            hint = "write for example 10.96.0.0/12, or 10.96.0.0/12,fd00::/108 for both families"
            yield paths.problem(key, f'is "{text}"', hint)


def cluster_domain(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """The domain of Services is a host name."""
    domain = config.networking.advanced.cluster_domain
    if not names.is_subdomain(domain):
        yield paths.problem("networking.advanced.clusterDomain", f'is "{domain}"', "write a domain: cluster.local")


def replicated_services(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """toHost: namespace/name → name; fromHost: [namespace/]name → namespace/name (spec §3.3)."""
    for side, services in (
        ("toHost", config.networking.replicate_services.to_host),
        ("fromHost", config.networking.replicate_services.from_host),
    ):
        targets: dict[str, int] = {}
        for index, service in enumerate(services):
            place = paths.at(f"{_REPLICATE}.{side}", index)
            yield from _replicated(side, service, place)
            if service.to and targets.setdefault(service.to, index) != index:
                first = f"{_REPLICATE}.{side}[{targets[service.to]}].to"
                yield paths.problem((*place, "to"), f'is "{service.to}" twice', "give each Service a name", first)


def _replicated(side: str, service: networking_keys.ReplicatedService, place: errors.Path) -> Iterator[errors.Finding]:
    source, target = service.from_ or "", service.to or ""
    to_host = side == "toHost"
    if not (names.is_object(source) or (not to_host and names.is_label(source))):
        hint = "write namespace/name of the virtual Service" if to_host else "write namespace/name of the host Service"
        yield paths.problem((*place, "from"), f'is "{source}"', hint)
    if not (names.is_label(target) if to_host else names.is_object(target)):
        hint = "write the name of the host Service" if to_host else "write namespace/name of the virtual Service"
        yield paths.problem((*place, "to"), f'is "{target}"', hint)


def resolved_names(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Each entry says one name and one target; the embedded CoreDNS answers them (spec §3.1)."""
    entries = config.networking.resolve_dns
    if entries and not config.control_plane.coredns.embedded:
        hint = "write controlPlane.coredns.embedded: true as well"
        yield paths.problem(_RESOLVE, "needs the embedded CoreDNS", hint, "controlPlane.coredns.embedded")
    for index, entry in enumerate(entries):
        place = paths.at(_RESOLVE, index)
        yield from _one_of(place, {"hostname": entry.hostname, "service": entry.service, "namespace": entry.namespace})
        target = entry.target or networking_keys.DnsTarget.model_construct()
        targets = {
            "hostname": target.hostname,
            "ip": target.ip,
            "hostService": target.host_service,
            "hostNamespace": target.host_namespace,
            "vClusterService": target.v_cluster_service,
        }
        yield from _one_of((*place, "target"), targets)
        if entry.hostname and target.host_namespace:
            hint = "write hostService: namespace/name, or match a namespace or a service"
            yield paths.problem((*place, "target", "hostNamespace"), "has no Service to look for", hint)
        yield from _shapes(place, entry)
        yield from _target_shapes((*place, "target"), targets)


def _one_of(place: errors.Path, choices: dict[str, str | None]) -> Iterator[errors.Finding]:
    chosen = [key for key, value in choices.items() if value]
    if len(chosen) != 1:
        message = f"combines {' and '.join(chosen)}" if chosen else "says nothing"
        yield paths.problem(place, message, f"write exactly one of {', '.join(choices)}")


def _shapes(place: errors.Path, entry: networking_keys.DnsRule) -> Iterator[errors.Finding]:
    if entry.hostname and not names.is_wildcard_host(entry.hostname):
        yield paths.problem((*place, "hostname"), f'is "{entry.hostname}"', "write a host name or *.domain")
    if entry.service and not names.is_object(entry.service):
        yield paths.problem((*place, "service"), f'is "{entry.service}"', "write namespace/name")
    if entry.namespace and not names.is_label(entry.namespace):
        yield paths.problem((*place, "namespace"), f'is "{entry.namespace}"', "write a namespace")


def _target_shapes(place: errors.Path, targets: dict[str, str | None]) -> Iterator[errors.Finding]:
    service = (targets["vClusterService"] or "").split("/")
    sound = {
        "hostname": (names.is_wildcard_host, "write a host name"),
        "ip": (names.is_ip, "write an address, such as 10.1.2.3"),
        "hostService": (names.is_object, "write namespace/name of the host Service"),
        "hostNamespace": (names.is_label, "write a namespace of the host"),
        "vClusterService": (
            lambda _: len(service) == 4 and all(names.is_label(part) for part in service),
            "write hostNamespace/vcluster/namespace/service",
        ),
    }
    for key, (fits, hint) in sound.items():
        value = targets[key]
        if value and not fits(value):
            yield paths.problem((*place, key), f'is "{value}"', hint)


def extra_sans(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Names in a certificate are host names or addresses, without scheme and port."""
    for index, name in enumerate(config.control_plane.proxy.extra_sans):
        if not (names.is_ip(name) or names.is_wildcard_host(name)):
            place = paths.at("controlPlane.proxy.extraSANs", index)
            yield paths.problem(place, f'is "{name}"', "write a host name or an address, without https:// and port")


def ports(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Ports are numbers from 1 to 65535; a node port of 0 is chosen by the host."""
    service = config.control_plane.service
    if not 1 <= config.control_plane.proxy.port <= 65535:
        yield paths.problem("controlPlane.proxy.port", f"is {config.control_plane.proxy.port}", "write 1 to 65535")
    for key, port in (("kubeletNodePort", service.kubelet_node_port), ("httpsNodePort", service.https_node_port)):
        if not 0 <= port <= 65535:
            hint = "write a port, usually 30000 to 32767, or 0"
            yield paths.problem(f"controlPlane.service.{key}", f"is {port}", hint)
    if service.https_node_port and service.https_node_port == service.kubelet_node_port:
        yield paths.problem(
            "controlPlane.service.kubeletNodePort",
            "is the same as httpsNodePort",
            "choose two different ports",
            "controlPlane.service.httpsNodePort",
        )


RULES: Final = (
    address_ranges,
    cluster_domain,
    replicated_services,
    resolved_names,
    extra_sans,
    ports,
)
