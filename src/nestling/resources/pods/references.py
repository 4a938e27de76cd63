"""What a pod uses by name: exactly what the translation renames (spec §1.6: what is referenced is "used")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nestling.kube.resource import CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SECRETS, Obj, Resource
from nestling.naming.tenant import VirtualKey
from nestling.resources.pods import env, resources, volumes
from nestling.syncer.spec import Reference


def references(pod: Obj) -> Iterable[Reference]:
    """Every object that the pod names, each once, in the order of first use."""
    namespace: str = pod["metadata"]["namespace"]
    found = {Reference(resource, VirtualKey(namespace, name)): None for resource, name in _names(pod) if name}
    return tuple(found)


def _names(pod: Obj) -> Iterator[tuple[Resource, str]]:
    spec: Obj = pod.get("spec") or {}
    for secret in spec.get("imagePullSecrets") or ():
        yield SECRETS, secret.get("name", "")
    for volume in spec.get("volumes") or ():
        yield from volumes.names(volume)
        if "ephemeral" in volume:
            yield PERSISTENT_VOLUME_CLAIMS, volumes.claim_name(pod, volume)
    for kind in env.CONTAINER_LISTS:
        for one in spec.get(kind) or ():
            yield from _container(one)
    yield from _claims(pod, spec)


def _container(one: Obj) -> Iterator[tuple[Resource, str]]:
    for variable in one.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield CONFIG_MAPS, (source.get("configMapKeyRef") or {}).get("name", "")
        yield SECRETS, (source.get("secretKeyRef") or {}).get("name", "")
    for source in one.get("envFrom") or ():
        yield CONFIG_MAPS, (source.get("configMapRef") or {}).get("name", "")
        yield SECRETS, (source.get("secretRef") or {}).get("name", "")


def _claims(pod: Obj, spec: Obj) -> Iterator[tuple[Resource, str]]:
    made = resources.made_claims(pod)
    for claim in spec.get("resourceClaims") or ():
        yield resources.RESOURCE_CLAIMS, claim.get("resourceClaimName") or made.get(claim["name"], "")
        yield resources.RESOURCE_CLAIM_TEMPLATES, claim.get("resourceClaimTemplateName") or ""
