"""Volumes in host terms: every object that a volume names is another one on the host (spec §2.2, row volumes).

One table says where the names are; ``references`` reads the same table, so that what is translated is also synced.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from nestling.kube.resource import CONFIG_MAPS, ENDPOINTS, PERSISTENT_VOLUME_CLAIMS, SECRETS, Obj, Resource
from nestling.resources.pods import env, tokens
from nestling.resources.pods.context import Changes, PodContext, Refused


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A name in a volume: which kind of volume, the path below it, and what is named."""

    source: str
    path: tuple[str, ...]
    resource: Resource


PLACES: Final = (
    Place("configMap", ("name",), CONFIG_MAPS),
    Place("secret", ("secretName",), SECRETS),
    Place("persistentVolumeClaim", ("claimName",), PERSISTENT_VOLUME_CLAIMS),
    Place("iscsi", ("secretRef", "name"), SECRETS),
    Place("rbd", ("secretRef", "name"), SECRETS),
    Place("flexVolume", ("secretRef", "name"), SECRETS),
    Place("cinder", ("secretRef", "name"), SECRETS),
    Place("cephfs", ("secretRef", "name"), SECRETS),
    Place("azureFile", ("secretName",), SECRETS),
    Place("scaleIO", ("secretRef", "name"), SECRETS),
    Place("storageos", ("secretRef", "name"), SECRETS),
    Place("csi", ("nodePublishSecretRef", "name"), SECRETS),
    Place("glusterfs", ("endpoints",), ENDPOINTS),
)
#: The same for the sources of a projected volume.
PROJECTED_PLACES: Final = (
    Place("configMap", ("name",), CONFIG_MAPS),
    Place("secret", ("name",), SECRETS),
)


def step(ctx: PodContext, pod: Obj, spec: Obj) -> Changes:
    """All volumes of the pod.

    Raises:
        Refused: a projected source would give the pod an identity on the host.
    """
    if not spec.get("volumes"):
        return {}
    return {"volumes": [_volume(ctx, pod, volume) for volume in spec["volumes"]]}


def names(volume: Obj) -> Iterator[tuple[Resource, str]]:
    """Everything that one volume names, in virtual terms."""
    yield from _names(volume, PLACES)
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield from _names(source, PROJECTED_PLACES)


def claim_name(pod: Obj, volume: Obj) -> str:
    """The PersistentVolumeClaim that the virtual cluster makes for an ephemeral volume."""
    return f"{pod['metadata']['name']}-{volume['name']}"


def _volume(ctx: PodContext, pod: Obj, volume: Obj) -> Obj:
    namespace: str = pod["metadata"]["namespace"]
    out = _translated(ctx, namespace, volume, PLACES)
    if "ephemeral" in out:
        del out["ephemeral"]
        claim = ctx.host_name(PERSISTENT_VOLUME_CLAIMS, namespace, claim_name(pod, volume))
        out["persistentVolumeClaim"] = {"claimName": claim}
    if out.get("downwardAPI"):
        out["downwardAPI"] = _downward(ctx, out["downwardAPI"])
    if out.get("image"):
        reference = out["image"].get("reference")
        out["image"] = {**out["image"], "reference": ctx.options.image_map.get(reference, reference)}
    projected = out.get("projected")
    if projected and projected.get("sources"):
        out["projected"] = {
            **projected,
            "sources": [_source(ctx, pod, volume["name"], one) for one in projected["sources"]],
        }
    return out


def _source(ctx: PodContext, pod: Obj, volume_name: str, source: Obj) -> Obj:
    if source.get("podCertificate"):
        raise Refused(
            f'volume "{volume_name}": a podCertificate source would be signed for the identity of the pod on the host; '
            "use a serviceAccountToken source or a certificate in a Secret"
        )
    if source.get("clusterTrustBundle"):
        raise Refused(
            f'volume "{volume_name}": a clusterTrustBundle source would be read from the host, not from the virtual '
            "cluster; put the certificates into a ConfigMap"
        )
    if source.get("serviceAccountToken"):
        return tokens.projection(ctx, pod, volume_name, source["serviceAccountToken"])
    out = _translated(ctx, pod["metadata"]["namespace"], source, PROJECTED_PLACES)
    if out.get("downwardAPI"):
        out["downwardAPI"] = _downward(ctx, out["downwardAPI"])
    return out


def _downward(ctx: PodContext, downward: Obj) -> Obj:
    return {**downward, "items": [env.field_ref(item, ctx.tenant) for item in downward.get("items") or ()]}


def _translated(ctx: PodContext, namespace: str, holder: Obj, places: tuple[Place, ...]) -> Obj:
    out = dict(holder)
    for place in places:
        name = _get(out.get(place.source), place.path)
        if name:
            out[place.source] = _put(out[place.source], place.path, ctx.host_name(place.resource, namespace, name))
    return out


def _names(holder: Obj, places: tuple[Place, ...]) -> Iterator[tuple[Resource, str]]:
    for place in places:
        name = _get(holder.get(place.source), place.path)
        if name:
            yield place.resource, name


def _get(value: Any, path: tuple[str, ...]) -> str | None:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _put(value: Obj, path: tuple[str, ...], name: str) -> Obj:
    first, *rest = path
    return {**value, first: _put(value[first], tuple(rest), name) if rest else name}
