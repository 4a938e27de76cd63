"""Only one virtual cluster lives in a host namespace; a second one is refused at its start (spec, process shape)."""

from __future__ import annotations

from typing import Final

from nestling.controlplane import settings
from nestling.kube import client as client_module
from nestling.kube import errors
from nestling.kube.resource import SERVICES, Obj, Resource
from nestling.naming.tenant import Tenant

SELECTOR: Final = "app=vcluster"
STATEFUL_SETS: Final = Resource("apps", "v1", "statefulsets", "StatefulSet")
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")


class NamespaceTakenError(settings.PreparationError):
    """Another virtual cluster is in the namespace."""


def others(objects: list[Obj], tenant: Tenant) -> tuple[str, ...]:
    """Names of other virtual clusters that objects of the namespace belong to."""
    releases = {
        release
        for obj in objects
        if "deletionTimestamp" not in obj["metadata"]
        and (release := (obj["metadata"].get("labels") or {}).get("release"))
    }
    return tuple(sorted(releases - {tenant.name}))


async def check(client: client_module.Client, tenant: Tenant) -> None:
    """Raise :class:`NamespaceTakenError` when the namespace is taken; kinds that may not be listed are passed over."""
    for resource in (SERVICES, STATEFUL_SETS, DEPLOYMENTS):
        try:
            found = others(await client.list(resource, tenant.namespace, label_selector=SELECTOR), tenant)
        except errors.Forbidden:
            continue
        if found:
            raise NamespaceTakenError(
                f"namespace {tenant.namespace} already holds the virtual cluster {', '.join(found)};"
                f" delete it, or create {tenant.name} in a namespace of its own"
            )
