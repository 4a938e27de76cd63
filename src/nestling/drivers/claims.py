"""Which claims go with a virtual cluster, and which stay: said before anything is deleted, as their data goes too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from nestling.drivers import base, host_side
from nestling.kube import errors as kube_errors
from nestling.kube import resource
from nestling.kube.resource import Obj
from nestling.naming import labels
from nestling.naming.tenant import Tenant

#: More names than these are counted.
_SHOWN: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Fates:
    """The names of claims, those of a tenant as the tenant knows them: ``namespace/name``."""

    of_tenant: tuple[str, ...] = ()
    of_control_plane: tuple[str, ...] = ()
    of_others: tuple[str, ...] = ()
    """In a namespace that goes, but of no virtual cluster."""
    staying: tuple[str, ...] = ()


def fates(claims: Iterable[Obj], tenant: Tenant, request: base.DeleteRequest, *, whole: bool) -> Fates:
    """What becomes of the claims of the host namespace; ``whole`` says that the namespace goes. Pure."""
    found: dict[str, list[str]] = {field.name: [] for field in dataclasses.fields(Fates)}
    for claim in claims:
        group = _group(claim, tenant)
        if not whole and group == "of_others":
            continue  # nobody thinks that it would go
        stays = not whole and host_side.is_kept(resource.PERSISTENT_VOLUME_CLAIMS, claim, request, tenant)
        found["staying" if stays else group].append(_name(claim))
    return Fates(**{group: tuple(sorted(names)) for group, names in found.items()})


def _group(claim: Obj, tenant: Tenant) -> str:
    if not host_side.belongs(claim, tenant):
        return "of_others"
    managed_by = (claim["metadata"].get("labels") or {}).get(labels.MANAGED_BY)
    return "of_tenant" if managed_by == tenant.name else "of_control_plane"


def _name(claim: Obj) -> str:
    meta = claim["metadata"]
    notes = meta.get("annotations") or {}
    if labels.OBJECT_NAME in notes and labels.OBJECT_NAMESPACE in notes:
        return f"{notes[labels.OBJECT_NAMESPACE]}/{notes[labels.OBJECT_NAME]}"
    return str(meta["name"])


def lines(found: Fates, request: base.DeleteRequest) -> list[str]:
    """What the user should know before the data is gone. Pure."""
    going = [
        (found.of_tenant, "of the tenant"),
        (found.of_control_plane, "of the control plane"),
        (found.of_others, "of others in the namespace"),
    ]
    listed = "; ".join(f"{len(names)} {whose} ({_listed(names)})" for names, whose in going if names)
    said = [f"Claims that go, with their data: {listed}"] if listed else []
    if request.keep_pvc and not found.staying:
        said.append("--keep-pvc keeps claims of the control plane, and there is none")
    return said


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


async def tell(
    side: host_side.HostSide, request: base.DeleteRequest, reporter: base.Reporter, *, namespace_created: bool
) -> None:
    """Say on the host's word which claims go and which stay. Whoever may not look at claims is told nothing."""
    try:
        claims = await side.client.list(resource.PERSISTENT_VOLUME_CLAIMS, side.tenant.namespace)
    except kube_errors.Forbidden:
        return
    whole = side.goes_whole(request, await side.namespace(), namespace_created=namespace_created)
    found = fates(claims, side.tenant, request, whole=whole)
    # that the control plane's goes is no news
    say = reporter.warn if found.of_tenant or found.of_others or request.keep_pvc else reporter.info
    for line in lines(found, request):
        say(line)
    if found.staying:
        reporter.info(f"Claims that stay: {_listed(found.staying)}")
