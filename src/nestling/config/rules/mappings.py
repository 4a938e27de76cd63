"""``mappings.byName``: which object or namespace of one side is which on the other (spec §1.8, §2.8, §2.9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from nestling.config import errors, model
from nestling.config.models import from_host_keys
from nestling.config.rules import names, paths

_NAMESPACES: Final = "sync.toHost.namespaces"
_GATEWAYS: Final = "sync.fromHost.gateways"
#: ``${name}`` stands for the name of the virtual cluster.
PLACEHOLDER: Final = "${name}"
#: Longest literal part of a pattern: names made from it must stay unique within 63 characters.
_MAX_PREFIX: Final = 32


def namespaces_are_mapped(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Namespace sync needs patterns, each exact → exact or prefix* → prefix* (spec §1.8)."""
    sync = config.sync.to_host.namespaces
    if not sync.enabled:
        return
    by_name = sync.mappings.by_name if sync.mappings else {}
    place = paths.at(_NAMESPACES, "mappings", "byName")
    if not by_name:
        hint = 'write for example "team-*": "${name}-team-*"'
        yield paths.problem(place, "is empty", hint, f"{_NAMESPACES}.enabled")
    for virtual, host in by_name.items():
        for message, hint in namespace_pattern(virtual, host):
            yield paths.problem((*place, virtual), message, hint)


def namespace_pattern(virtual: str, host: str) -> Iterator[tuple[str, str]]:
    """What is wrong with one pattern pair, with what to write."""
    for side, pattern in (("the virtual side", virtual), ("the host side", host)):
        if pattern.count("*") > 1 or ("*" in pattern and not pattern.endswith("*")):
            yield f'has a * inside {side}, "{pattern}"', "one * is allowed, at the end"
        if pattern.count(PLACEHOLDER) > 1:
            yield f'has {PLACEHOLDER} more than once in {side}, "{pattern}"', "write it once"
        literal = pattern.replace(PLACEHOLDER, "").removesuffix("*")
        name = literal.strip("-")
        if "*" in pattern and len(literal) > _MAX_PREFIX:
            yield f"has a prefix of {len(literal)} characters in {side}", f"at most {_MAX_PREFIX} are allowed"
        if name and "*" not in name and not names.is_label(name):
            yield f'"{pattern}" is no namespace', "use lower-case letters, digits and -"
    if virtual.endswith("*") != host.endswith("*"):
        yield f'maps "{virtual}" to "{host}"', "write a * at the end of both sides or of neither"
    if host == "*":
        yield "maps to every namespace of the host", f'give the host side a prefix, such as "{PLACEHOLDER}-*"'


def namespaces_spare_the_control_plane(
    config: model.VClusterConfig, *, name: str, namespace: str
) -> Iterator[errors.Finding]:
    """No pattern may cover the namespace of the control plane, once name and namespace are known (spec §1.8)."""
    sync = config.sync.to_host.namespaces
    for virtual, host in (sync.mappings.by_name if sync.enabled and sync.mappings else {}).items():
        pattern = host.replace(PLACEHOLDER, name)
        covered = namespace.startswith(pattern[:-1]) if pattern.endswith("*") else namespace == pattern
        if covered:
            place = paths.at(_NAMESPACES, "mappings", "byName", virtual)
            hint = f"choose host namespaces that are not {namespace}"
            yield paths.problem(place, f'maps to "{host}", which covers the namespace of the control plane', hint)


def objects_are_mapped(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """ConfigMaps, Secrets and custom resources from the host need sound mappings (spec §2.9)."""
    from_host = config.sync.from_host
    kinds = {"configMaps": from_host.config_maps, "secrets": from_host.secrets}
    for kind, sync in kinds.items():
        if sync.enabled:
            yield from _objects(paths.at(f"sync.fromHost.{kind}"), sync.mappings.by_name)
    for name, resource in from_host.custom_resources.items():
        if resource.enabled:
            yield from _custom_resource(paths.at("sync.fromHost.customResources", name), resource)


def _custom_resource(place: errors.Path, resource: from_host_keys.CustomResourceFromHost) -> Iterator[errors.Finding]:
    by_name = resource.mappings.by_name if resource.mappings else {}
    if resource.scope == "Namespaced":
        yield from _objects(place, by_name)
    elif by_name:
        yield paths.problem((*place, "mappings"), "is for namespaced objects only", "write scope: Namespaced")


def _objects(place: errors.Path, by_name: Mapping[str, str]) -> Iterator[errors.Finding]:
    here = (*place, "mappings", "byName")
    if not by_name:
        hint = 'write what is shown where, such as "shared/*": "config/*"'
        yield errors.Finding(here, "is empty, so that nothing would be synced", hint, ((*place, "enabled"),))
    for host, virtual in by_name.items():
        for message, hint in object_mapping(host, virtual):
            yield paths.problem((*here, host), message, hint)


def object_mapping(host: str, virtual: str) -> Iterator[tuple[str, str]]:
    """What is wrong with one object mapping, host → virtual."""
    namespace, _, name = virtual.partition("/")
    if host == "":
        if not names.is_label(namespace) or name not in ("", "*"):
            yield f'maps everything to "{virtual}"', "write a virtual namespace, such as config or config/*"
        return
    host_namespace, slash, host_name = host.partition("/")
    if (
        not slash
        or (host_namespace and not names.is_label(host_namespace))
        or not ((host_name == "*" and host_namespace) or names.is_subdomain(host_name))
    ):
        yield f'"{host}" names nothing on the host', "write ns/name, ns/*, /name, or empty text for everything"
        return
    if host_name == "*":
        if not names.is_label(namespace) or name != "*":
            yield f'maps a whole namespace to "{virtual}"', "write a virtual namespace with /*, such as config/*"
    elif not names.is_label(namespace) or not (names.is_subdomain(name) or (name == "*" and host_namespace)):
        yield f'maps one object to "{virtual}"', "write a virtual namespace and name, such as config/settings"


def gateways_are_mapped(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Imported Gateways: ns/name → ns/name or ns/* → ns/*, no protected targets, no overlaps (spec §2.8)."""
    sync = config.sync.from_host.gateways
    place = paths.at(_GATEWAYS, "mappings", "byName")
    if not sync.enabled:
        return
    if not sync.mappings.by_name:
        hint = 'write what is imported, such as "infra/*": "gateways/*"'
        yield paths.problem(place, "is empty, so that nothing would be imported", hint, f"{_GATEWAYS}.enabled")
    targets: dict[str, str] = {}
    for host, virtual in sync.mappings.by_name.items():
        for message, hint in _gateway(host, virtual):
            yield paths.problem((*place, host), message, hint)
        if virtual in targets:
            hint = "give each its own target"
            yield paths.problem((*place, host), f"has the same target as {targets[virtual]}", hint)
        targets[virtual] = host
        covered = f"{host.partition('/')[0]}/*"
        if host != covered and covered in sync.mappings.by_name:
            yield paths.problem((*place, host), f"is covered by {covered} already", "keep one of the two")


def _gateway(host: str, virtual: str) -> Iterator[tuple[str, str]]:
    sides = [side.partition("/") for side in (host, virtual)]
    for text, (namespace, _, name) in zip((host, virtual), sides, strict=True):
        if not names.is_label(namespace) or not (name == "*" or names.is_subdomain(name)):
            yield f'"{text}" is no Gateway', "write ns/name or ns/*"
            return
    if (sides[0][2] == "*") != (sides[1][2] == "*"):
        yield f'maps "{host}" to "{virtual}"', "write /* on both sides or on neither"
    if sides[1][0].startswith("kube-"):
        yield f"maps into the protected namespace {sides[1][0]}", "choose another virtual namespace"


RULES: Final = (namespaces_are_mapped, objects_are_mapped, gateways_are_mapped)
