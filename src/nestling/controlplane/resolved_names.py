"""``networking.resolveDNS`` (spec §3.1) with what stock CoreDNS has: rewrites, templates, and a zone for the host.

A name that leads to a Service of the host is asked in a zone of our own, which only this server knows. There it becomes
the host's name again and goes to the host's name server: otherwise the virtual cluster's own Services would answer.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final

from nestling.config.models import networking_keys
from nestling.naming import names
from nestling.naming.tenant import Tenant, VirtualKey

#: Stands for the host's domain; ``.internal`` is set aside for private use.
HOST_ZONE: Final = "host.nestling.internal"
_HOST_DOMAIN: Final = "cluster.local"
_TTL: Final = 60

Rules = Sequence[networking_keys.DnsRule]


def leads_to_host(rules: Rules) -> bool:
    """Does one of the names resolve to a Service of the host?"""
    return any(
        rule.target is not None
        and (rule.target.host_service or rule.target.host_namespace or rule.target.v_cluster_service)
        for rule in rules
    )


def lines(rules: Rules, *, domains: Iterable[str], server: str) -> list[str]:
    """The lines for the server's own block; ``server`` is where it can ask itself. The first rule that fits counts."""
    wanted = tuple(domains)
    found = [line for rule in rules for name in _patterns(rule, wanted) for line in _answer(rule, name)]
    return [*found, *([f"forward {HOST_ZONE} {server}"] if leads_to_host(rules) else [])]


def host_block(rules: Rules, *, host_dns: str, port: int, address: str) -> list[str]:
    """The block of the host's zone, where one is needed."""
    if not leads_to_host(rules):
        return []
    return [
        f"{HOST_ZONE}:{port} {{",
        *([f"    bind {address}"] if address else []),
        "    errors",
        f"    rewrite name suffix .{HOST_ZONE} .{_HOST_DOMAIN} answer auto",
        f"    forward . {host_dns}",
        "}",
    ]


def _patterns(rule: networking_keys.DnsRule, domains: tuple[str, ...]) -> list[str]:
    """Expressions of the names that a rule is about; the first group is the part that may differ."""
    if rule.hostname:
        host = rule.hostname.lower()
        rest = re.escape(host.removeprefix("*."))
        return [rf"^(.+)\.{rest}\.$" if host.startswith("*.") else rf"^{rest}\.$"]
    if rule.service:
        namespace, _, name = rule.service.partition("/")
        return [rf"^({re.escape(name)})\.{re.escape(namespace)}\.svc\.{re.escape(domain)}\.$" for domain in domains]
    namespace = re.escape(rule.namespace or "")
    return [rf"^([^.]+)\.{namespace}\.svc\.{re.escape(domain)}\.$" for domain in domains]


def _answer(rule: networking_keys.DnsRule, pattern: str) -> list[str]:
    target = rule.target
    if target is None:
        return []
    if target.ip:
        return _address(pattern, target.ip)
    return [f"rewrite name regex {pattern} {_name(target)} answer auto"]


def _name(target: networking_keys.DnsTarget) -> str:
    if target.host_service:
        namespace, _, name = target.host_service.partition("/")
        return _on_host(name, namespace)
    if target.host_namespace:
        return _on_host("{1}", target.host_namespace)
    if target.v_cluster_service:
        host_namespace, cluster, namespace, name = target.v_cluster_service.split("/")
        key = names.host_name(VirtualKey(namespace, name), Tenant(cluster, host_namespace))
        return _on_host(key.name, key.namespace)
    host = (target.hostname or "").lower()
    return "{1}." + host.removeprefix("*.") if host.startswith("*.") else host


def _on_host(name: str, namespace: str) -> str:
    return f"{name}.{namespace}.svc.{HOST_ZONE}"


def _address(pattern: str, address: str) -> list[str]:
    """An answer for the family of the address, and none, rather than an error, for the other one."""
    own, other = ("A", "AAAA") if ipaddress.ip_address(address).version == 4 else ("AAAA", "A")
    return [
        f"template IN {own} {{",
        f"    match {pattern}",
        f'    answer "{{{{ .Name }}}} {_TTL} IN {own} {address}"',
        "    fallthrough",
        "}",
        f"template IN {other} {{",
        f"    match {pattern}",
        "    rcode NOERROR",
        "    fallthrough",
        "}",
    ]
