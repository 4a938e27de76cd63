"""What a host must look like for what a virtual cluster holds, worked out without the syncer's own code.

``differences`` compares everything on both sides and says in plain words what is not as it should be.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from nestling.kube import client
from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)

Key = tuple[str, str]
PREFIX: Final = "vcluster.loft.sh/"
FORCE: Final = PREFIX + "force-sync"
SYNCED: Final = (CONFIG_MAPS, SECRETS, SERVICES, PERSISTENT_VOLUME_CLAIMS, PODS)
#: Synced for Services without selector; for the others, and from Endpoints, controllers of each cluster make their own.
_PUBLISHED: Final = (ENDPOINTS, ENDPOINT_SLICES)
_SERVICE: Final = "kubernetes.io/service-name"
_MADE_BY: Final = "endpointslice.kubernetes.io/managed-by"
#: What the syncer or a cluster's own controllers write, and nobody carries over.
_OWN_ANNOTATIONS: Final = (
    PREFIX,
    "cluster-autoscaler.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "volume.kubernetes.io/",
    "endpoints.kubernetes.io/",
)
#: Namespaces that the control plane fills itself are not part of the game, but for the Services in them.
_ROOT_CA: Final = "kube-root-ca.crt"


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """All objects of interest on one side, by kind and key."""

    objects: dict[str, dict[Key, Obj]]

    def of(self, resource: Resource) -> dict[Key, Obj]:
        return self.objects[resource.plural]


async def look(api: client.Client, namespace: str | None) -> State:
    """One side: the whole virtual cluster, or a namespace of the host."""
    found: dict[str, dict[Key, Obj]] = {}
    for resource in (*SYNCED, *_PUBLISHED, NAMESPACES, NODES, PERSISTENT_VOLUMES):
        listed = await api.list(resource, namespace if resource.namespaced else None)
        found[resource.plural] = {
            (one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in listed
        }
    return State(found)


def host_name(name: str, namespace: str, tenant: str) -> str:
    """The name formula, spec §1.1."""
    full = f"{name}-x-{namespace}-x-{tenant}"
    if len(full) <= 63:
        return full
    return (full[:52] + "-" + hashlib.sha256(full.encode()).hexdigest()[:10]).replace(".-", "-")


def used(virtual: State) -> dict[str, set[Key]]:
    """The ConfigMaps and Secrets that a pod refers to or that are forced (spec §1.6)."""
    found: dict[str, set[Key]] = {CONFIG_MAPS.plural: set(), SECRETS.plural: set()}
    for (namespace, _), pod in virtual.of(PODS).items():
        for plural, name in _references(pod["spec"]):
            found[plural].add((namespace, name))
    for plural, keys in found.items():
        objects = virtual.objects[plural]
        keys.update(key for key, one in objects.items() if _annotations(one).get(FORCE) == "true")
        keys.intersection_update(objects)
    return found


def differences(virtual: State, host: State, tenant: str, namespace: str) -> list[str]:
    """Everything that is wrong."""
    found: list[str] = []
    wanted_marks: set[tuple[str, str]] = set()
    selected, in_use = used(virtual), set(_going_but_used(virtual))
    for resource in SYNCED:
        for key, one in virtual.of(resource).items():
            if key == ("default", "kubernetes") or key[1] == _ROOT_CA:
                continue
            if resource.plural in selected and key not in selected[resource.plural]:
                continue
            name = host_name(key[1], key[0], tenant)
            wanted_marks.add((resource.plural, name))
            where = f"{resource.kind} {key[0]}/{key[1]}"
            if (resource.plural, key) in in_use:
                continue
            counterpart = host.of(resource).get((namespace, name))
            if counterpart is None:
                found.append(f"{where}: no {name} on the host")
                continue
            found += [f"{where}: {text}" for text in _compare(resource, one, counterpart, virtual, tenant)]
    found += _published(virtual, host, tenant, namespace)
    found += [
        f"{resource.kind} {key[0]}/{key[1]} is still on its way out"
        for resource in (NAMESPACES, *SYNCED)
        for key, one in virtual.of(resource).items()
        if one["metadata"].get("deletionTimestamp") and (resource.plural, key) not in in_use
    ]
    found += _orphans(host, tenant, wanted_marks)
    found += _nodes(virtual, host)
    found += _volumes(virtual)
    return found


def _going_but_used(virtual: State) -> Iterator[tuple[str, Key]]:
    """Claims that are on their way out and stay until the pods that use them are gone, here or on both sides."""
    for (space, _), pod in virtual.of(PODS).items():
        for volume in pod["spec"].get("volumes") or ():
            key = (space, (volume.get("persistentVolumeClaim") or {}).get("claimName", ""))
            claim = virtual.of(PERSISTENT_VOLUME_CLAIMS).get(key)
            if claim is not None and claim["metadata"].get("deletionTimestamp"):
                yield PERSISTENT_VOLUME_CLAIMS.plural, key


def _published(virtual: State, host: State, tenant: str, namespace: str) -> Iterator[str]:
    """Endpoints and slices of Services without selector are as the tenant wrote them, and there are no others."""
    wanted: dict[tuple[str, str], Obj] = {}
    for resource in _PUBLISHED:
        for (space, name), one in virtual.of(resource).items():
            marks = one["metadata"].get("labels") or {}
            service = virtual.of(SERVICES).get((space, name if resource is ENDPOINTS else marks.get(_SERVICE, "")))
            is_mine = marks.get("chaos") == "published" and _MADE_BY not in marks
            if is_mine and service is not None and not service["spec"].get("selector"):
                wanted[resource.plural, host_name(name, space, tenant)] = one
    for resource in _PUBLISHED:
        for (_, name), one in host.of(resource).items():
            ours = wanted.pop((resource.plural, name), None)
            notes = one["metadata"].get("annotations") or {}
            if ours is not None:
                yield from (
                    f"{resource.kind} {name}: {text}" for text in _same(ours, one, "subsets", "endpoints", "ports")
                )
            elif notes.get(PREFIX + "object-host-name") == name and notes[PREFIX + "object-name"] != "kubernetes":
                yield f"{resource.kind} {name} on the host: orphan"
    yield from (f"{plural}: no {name} on the host" for plural, name in wanted)


def _references(spec: Obj) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        for source in sources:
            if "configMap" in source:
                yield CONFIG_MAPS.plural, source["configMap"]["name"]
            if "secret" in source:
                secret = source["secret"]
                yield SECRETS.plural, secret.get("secretName") or secret["name"]
    for source in (source for container in spec["containers"] for source in container.get("envFrom") or ()):
        for field, resource in (("configMapRef", CONFIG_MAPS), ("secretRef", SECRETS)):
            if field in source:
                yield resource.plural, source[field]["name"]


def _compare(resource: Resource, virtual: Obj, host: Obj, all_virtual: State, tenant: str) -> Iterator[str]:
    yield from _compare_metadata(resource, virtual, host, all_virtual, tenant)
    match resource.kind:
        case "ConfigMap":
            yield from _same(virtual, host, "data", "binaryData", "immutable")
        case "Secret":
            yield from _same(virtual, host, "data", "immutable", "type")
        case "Service":
            yield from _compare_service(virtual, host, tenant)
        case "PersistentVolumeClaim":
            yield from _same(virtual["spec"], host["spec"], "volumeName", "accessModes", "resources")
            yield from _same(virtual, host, "status")
        case "Pod":
            yield from _compare_pod(virtual, host)
        case _:
            raise AssertionError(resource)


def _compare_metadata(resource: Resource, virtual: Obj, host: Obj, all_virtual: State, tenant: str) -> Iterator[str]:
    ours, theirs = virtual["metadata"], host["metadata"]
    notes = theirs.get("annotations") or {}
    expected = {
        PREFIX + "object-name": ours["name"],
        PREFIX + "object-namespace": ours["namespace"],
        PREFIX + "object-uid": ours["uid"],
        PREFIX + "object-host-name": theirs["name"],
    }
    for key, value in expected.items():
        if notes.get(key) != value:
            yield f"annotation {key} is {notes.get(key)!r}, not {value!r}"
    marks = theirs.get("labels") or {}
    seen = {key: value for key, value in marks.items() if not key.startswith(PREFIX)}
    if seen != (ours.get("labels") or {}):
        yield f"labels {seen} on the host, {ours.get('labels')} in the virtual cluster"
    if (marks.get(PREFIX + "managed-by"), marks.get(PREFIX + "namespace")) != (tenant, ours["namespace"]):
        yield f"marks are {marks}"
    down, up = _plain(notes), _plain(ours.get("annotations") or {})
    if down != up:
        yield f"annotations {down} on the host, {up} in the virtual cluster"
    if PREFIX + "replacement" in notes:
        yield "a note about a replacement was left behind"
    if bool(ours.get("deletionTimestamp")) != bool(theirs.get("deletionTimestamp")):
        yield "is going on one side only"
    if resource is PODS:
        space = all_virtual.of(NAMESPACES).get(("", ours["namespace"]))
        labels = (space["metadata"].get("labels") or {}) if space else {}
        shown = {key: value for key, value in marks.items() if key.startswith(PREFIX + "ns-label-")}
        wanted = {
            f"{PREFIX}ns-label-{tenant}-x-{hashlib.sha256(key.encode()).hexdigest()[:10]}": value
            for key, value in labels.items()
        }
        if shown != wanted:
            yield f"labels of the namespace are {shown}, not {wanted}"


def _annotations(one: Obj) -> dict[str, str]:
    found: dict[str, str] = one["metadata"].get("annotations") or {}
    return found


def _plain(annotations: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in annotations.items() if not key.startswith(_OWN_ANNOTATIONS)}


def _compare_service(virtual: Obj, host: Obj, tenant: str) -> Iterator[str]:
    ours, theirs = virtual["spec"], host["spec"]
    yield from _same(ours, theirs, "type", "clusterIP", "ports", "externalName", "sessionAffinity")
    yield from _same(virtual, host, "status")
    selector = ours.get("selector")
    wanted = selector and {
        **selector,
        PREFIX + "managed-by": tenant,
        PREFIX + "namespace": virtual["metadata"]["namespace"],
    }
    if (theirs.get("selector") or None) != (wanted or None):
        yield f"selector is {theirs.get('selector')}, not {wanted}"


def _compare_pod(virtual: Obj, host: Obj) -> Iterator[str]:
    yield from _same(virtual["spec"], host["spec"], "nodeName", "activeDeadlineSeconds")
    images = [[one["image"] for one in pod["spec"]["containers"]] for pod in (virtual, host)]
    if images[0] != images[1]:
        yield f"images are {images[1]}, not {images[0]}"
    status = [dict(pod.get("status") or {}) for pod in (virtual, host)]
    for one in status:
        one.pop("qosClass", None)
        # a message names objects, by each side's own names
        one["conditions"] = [{**found, "message": ""} for found in one.get("conditions") or ()]
    yield from _same(status[0], status[1], *(status[0].keys() | status[1].keys()))


def _same(ours: Obj, theirs: Obj, *names: str) -> Iterator[str]:
    for name in sorted(names):
        if _without_none(ours.get(name)) != _without_none(theirs.get(name)):
            yield f"{name} is {theirs.get(name)!r} on the host, {ours.get(name)!r} in the virtual cluster"


def _without_none(value: Any) -> Any:
    return value or None


def _orphans(host: State, tenant: str, wanted: set[tuple[str, str]]) -> Iterator[str]:
    pods = {one["metadata"]["uid"] for one in host.of(PODS).values()}
    in_use = set(_going_but_used(host))
    for resource in SYNCED:
        for (space, name), one in host.of(resource).items():
            marks, notes = one["metadata"].get("labels") or {}, one["metadata"].get("annotations") or {}
            if marks.get(PREFIX + "managed-by") != tenant or (resource.plural, name) in wanted:
                continue
            # a finalizer of the tenant's held the claim above, and a pod took it meanwhile: it goes with that pod
            if (resource.plural, (space, name)) in in_use:
                continue
            if notes.get(PREFIX + "object-name") == _ROOT_CA:
                continue
            owners = {owner["uid"] for owner in one["metadata"].get("ownerReferences") or () if owner["kind"] == "Pod"}
            if notes.get(PREFIX + "skip-backsync") == "true" and owners:
                if not owners & pods:
                    yield f"Secret {name}: tokens of a pod that is gone"
                continue
            yield f"{resource.kind} {name} on the host: orphan of {notes.get(PREFIX + 'object-name')}"


def _nodes(virtual: State, host: State) -> Iterator[str]:
    running = {one["spec"]["nodeName"] for one in host.of(PODS).values() if one["spec"].get("nodeName")}
    shown = {key[1] for key in virtual.of(NODES)}
    if running - shown:
        yield f"nodes {running - shown} run pods and are not shown"
    if shown - running:
        yield f"nodes {shown - running} are shown and run nothing"


def _volumes(virtual: State) -> Iterator[str]:
    claims = virtual.of(PERSISTENT_VOLUME_CLAIMS).values()
    bound = {
        one["spec"]["volumeName"]: one["metadata"]["uid"] for one in claims if one["spec"].get("volumeName") is not None
    }
    shown = {key[1]: one["spec"]["claimRef"]["uid"] for key, one in virtual.of(PERSISTENT_VOLUMES).items()}
    if bound != shown:
        yield f"volumes of the claims {shown} are shown, claims are bound to {bound}"


def noted(body: bytes) -> Key | None:
    """The virtual object that a write to the host announces the replacement of."""
    if (PREFIX + "replacement").encode() not in body:
        return None
    note = ((json.loads(body).get("metadata") or {}).get("annotations") or {}).get(PREFIX + "replacement")
    meta = json.loads(note)["virtual"]["metadata"] if note else None
    return (meta["namespace"], meta["name"]) if meta else None


def uids(state: State, resources: Iterable[Resource]) -> dict[tuple[str, Key], str]:
    """The identity of each object."""
    return {
        (resource.plural, key): one["metadata"]["uid"]
        for resource in resources
        for key, one in state.of(resource).items()
    }
