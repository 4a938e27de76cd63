"""``networking.replicateServices`` (spec §3.3) as pure functions: which Services, and what stands on the other side.

Only the operator says which Services these are. What a tenant can decide is what his own Service selects or leads to,
as with every Service that is synced.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import Any, Final

from nestling.config import model
from nestling.config.models import networking_keys
from nestling.kube.resource import Obj
from nestling.naming import labels, ownership, selectors
from nestling.naming.tenant import Tenant

#: All replicas carry it; the syncer of Services leaves such objects alone.
MARK: Final = (labels.CONTROLLED_BY, "vcluster")
#: Which Service a replica stands for: without it nothing is deleted.
SOURCE: Final = labels.PREFIX + "replicated-from"
_HEADLESS: Final = "None"
#: Of the ports of a Service, what another one may have too. Node ports belong to one.
_PORT_FIELDS: Final = ("name", "port", "protocol", "appProtocol")


class Direction(enum.Enum):
    """Where the replica is."""

    TO_HOST = "toHost"
    FROM_HOST = "fromHost"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a Service is on its side."""

    namespace: str
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """The key in a cache."""
        return self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclasses.dataclass(frozen=True, slots=True)
class Replica:
    """One Service and where its replica is."""

    direction: Direction
    source: Place
    target: Place


def replicas(config: model.VClusterConfig, tenant: Tenant) -> tuple[Replica, ...]:
    """Everything that the configuration asks for."""
    wanted = config.networking.replicate_services
    down = [_replica(Direction.TO_HOST, entry, tenant) for entry in wanted.to_host]
    up = [_replica(Direction.FROM_HOST, entry, tenant) for entry in wanted.from_host]
    return tuple(down + up)


def _replica(direction: Direction, entry: networking_keys.ReplicatedService, tenant: Tenant) -> Replica:
    source, target = _place(entry.from_ or "", tenant), _place(entry.to or "", tenant)
    return Replica(direction, source, target)


def _place(text: str, tenant: Tenant) -> Place:
    """A name alone is in the namespace of the virtual cluster on the host."""
    namespace, slash, name = text.rpartition("/")
    return Place(namespace if slash else tenant.namespace, name)


def selects(service: Obj) -> bool:
    """Do controllers write the endpoints of this Service?"""
    return bool(service["spec"].get("selector"))


def is_name(service: Obj) -> bool:
    """Is it nothing but another name?"""
    return bool(service["spec"].get("type") == "ExternalName")


def is_headless(service: Obj) -> bool:
    """Is it the addresses behind it?"""
    return bool(service["spec"].get("clusterIP") == _HEADLESS)


def service(replica: Replica, source: Obj, tenant: Tenant, *, owner_uid: str = "") -> Obj:
    """The Service on the other side.

    Seen from the virtual cluster, a Service of the host is headless and has the host's ClusterIP as its address: the
    same packets that a pod of the host would send.
    """
    meta: Obj = {
        "name": replica.target.name,
        "namespace": replica.target.namespace,
        "labels": dict([MARK]),
        "annotations": {SOURCE: str(replica.source)},
    }
    if owner_uid:
        meta["ownerReferences"] = ownership.owner_references(owner_uid, tenant, controller=False)
    spec = _to_host(replica, source, tenant) if replica.direction is Direction.TO_HOST else _from_host(source)
    return {"metadata": meta, "spec": spec}


def _to_host(replica: Replica, source: Obj, tenant: Tenant) -> Obj:
    if is_name(source):
        return _external(source)
    given = source["spec"]
    spec: Obj = {
        "type": "ClusterIP",
        "ports": _ports(source, with_targets=True),
        "selector": selectors.service_selector(given.get("selector"), replica.source.namespace, tenant),
        "publishNotReadyAddresses": given.get("publishNotReadyAddresses") or None,
    }
    return {**spec, "clusterIP": _HEADLESS} if is_headless(source) else spec


def _from_host(source: Obj) -> Obj:
    if is_name(source):
        return _external(source)
    ports = _ports(source, with_targets=is_headless(source))
    return {"type": "ClusterIP", "clusterIP": _HEADLESS, "selector": None, "ports": ports}


def _external(source: Obj) -> Obj:
    name = source["spec"].get("externalName")
    return {"type": "ExternalName", "externalName": name, "selector": None, "ports": _ports(source, with_targets=False)}


def _ports(source: Obj, *, with_targets: bool) -> list[Obj]:
    """Without node ports. Where the address is a ClusterIP, the target is the port itself."""
    found = []
    for port in source["spec"].get("ports") or ():
        kept = {field: port[field] for field in _PORT_FIELDS if port.get(field)}
        kept.setdefault("protocol", "TCP")
        found.append({**kept, "targetPort": port.get("targetPort", port["port"]) if with_targets else port["port"]})
    return found


def endpoints(replica: Replica, source: Obj, behind: Obj | None) -> Obj | None:
    """What the replica leads to, None where it needs nothing or where the other side finds its pods by itself.

    ``behind`` are the Endpoints of the source. Which pods and nodes they are is nobody's business on the other side;
    the host names of a StatefulSet's pods are kept.
    """
    if is_name(source) or (replica.direction is Direction.TO_HOST and selects(source)):
        return None
    if replica.direction is Direction.FROM_HOST and not is_headless(source):
        subsets = _of_cluster_ips(source)
    else:
        subsets = [_anonymous(subset) for subset in (behind or {}).get("subsets") or ()]
    meta: Obj = {
        "name": replica.target.name,
        "namespace": replica.target.namespace,
        "labels": dict([MARK]),
        "annotations": {SOURCE: str(replica.source)},
    }
    return {"metadata": meta, "subsets": subsets}


def _of_cluster_ips(source: Obj) -> list[Obj]:
    spec = source["spec"]
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    known = [{"ip": address} for address in addresses if address and address != _HEADLESS]
    ports = [{field: port[field] for field in _PORT_FIELDS if port.get(field)} for port in spec.get("ports") or ()]
    return [{"addresses": known, "ports": ports}] if known else []


def _anonymous(subset: Obj) -> Obj:
    kept: Obj = {"ports": subset.get("ports") or []}
    for field in ("addresses", "notReadyAddresses"):
        found = [{key: one[key] for key in ("ip", "hostname") if one.get(key)} for one in subset.get(field) or ()]
        if found:
            kept[field] = found
    return kept


def is_marked(obj: Obj) -> bool:
    """Is it a replica, ours or one that vCluster made?"""
    key, value = MARK
    return bool((obj["metadata"].get("labels") or {}).get(key) == value)


def stands_for(obj: Obj, replica: Replica) -> bool:
    """Is it certainly this replica? Then it may be deleted."""
    return is_marked(obj) and (obj["metadata"].get("annotations") or {}).get(SOURCE) == str(replica.source)


def leftovers(found: Iterable[Obj], wanted: Iterable[Replica]) -> list[Obj]:
    """Replicas of ours that the configuration does not name any more."""
    known = {(replica.target, str(replica.source)) for replica in wanted}
    return [obj for obj in found if is_marked(obj) and (source := _source(obj)) and (_where(obj), source) not in known]


def _source(obj: Obj) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(SOURCE, ""))


def _where(obj: Obj) -> Place:
    return Place(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def must_recreate(existing: Obj, wanted: Obj) -> bool:
    """Do they differ in what an API server never changes?"""
    return _shape(existing) != _shape(wanted)


def _shape(obj: Obj) -> tuple[bool, bool]:
    return is_name(obj), is_headless(obj)


def change(existing: Obj, wanted: Obj) -> Obj:
    """A merge patch for a replica that exists; empty when there is nothing to do."""
    patch = _body(existing, wanted)
    for field in ("labels", "annotations"):
        have = existing["metadata"].get(field) or {}
        differing = {key: value for key, value in wanted["metadata"].get(field, {}).items() if have.get(key) != value}
        if differing:
            patch.setdefault("metadata", {})[field] = differing
    return patch


def _body(existing: Obj, wanted: Obj) -> Obj:
    if "subsets" in wanted:
        same = _addresses(existing.get("subsets")) == _addresses(wanted["subsets"])
        return {} if same else {"subsets": wanted["subsets"] or None}
    have, want = existing["spec"], wanted["spec"]
    spec = {key: value for key, value in want.items() if key != "selector" and have.get(key) != value}
    selector = _map_patch(have.get("selector") or {}, want.get("selector") or {})
    changed = {**spec, **({"selector": selector} if selector else {})}
    return {"spec": changed} if changed else {}


def _map_patch(have: Mapping[str, str], want: Mapping[str, str]) -> dict[str, str | None]:
    return {key: want.get(key) for key in have.keys() | want.keys() if have.get(key) != want.get(key)}


def _addresses(subsets: Any) -> set[tuple[Any, ...]]:
    """Endpoints in a form that does not depend on how an API server packs them."""
    nothing: list[Obj] = [{}]
    return {
        (address.get("ip"), address.get("hostname"), field, port.get("name"), port.get("port"), port.get("protocol"))
        for subset in subsets or ()
        for field in ("addresses", "notReadyAddresses")
        for address in subset.get(field) or ()
        for port in subset.get("ports") or nothing
    }
