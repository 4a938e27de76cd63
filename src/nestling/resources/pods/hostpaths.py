"""Host paths that mean something else for a tenant (spec §2.2, row hostPath).

``/var/log``, ``/var/log/pods`` and ``/var/lib/kubelet/pods`` show all pods of a node. A tenant gets a folder of its
own instead, which the host-path mapper fills. Folders below the latter two go the same way (vCluster leaves them: one
could read the logs of other tenants), and the folders of other virtual clusters cannot be named. Other paths are left
alone: whether a pod may have a host path at all is for Pod Security to decide.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Final

from nestling.kube.resource import Obj
from nestling.naming.tenant import Tenant
from nestling.resources.pods import keys
from nestling.resources.pods.context import Changes, PodContext, Refused

ROOT: Final = "/tmp/vcluster"  # noqa: S108 - the path that the host-path mapper uses, on the node
KUBELET_PODS: Final = "/var/lib/kubelet/pods"
#: Path on the host → below the tenant's folder, and below the folder where the original is mounted for the mapper's
#: links.
MAPPED: Final[Mapping[str, str]] = {"/var/log": "log", "/var/log/pods": "log/pods", KUBELET_PODS: "kubelet/pods"}
#: Folders below these are mapped too.
_DEEP: Final = ("/var/log/pods", KUBELET_PODS)
PHYSICAL: Final = "/var/vcluster/physical"


def step(ctx: PodContext, _pod: Obj, spec: Obj) -> Changes:
    """Volumes with a host path, and the mounts of those that were redirected.

    Raises:
        Refused: a path in the folder of another virtual cluster.
    """
    volumes: list[Obj] = spec.get("volumes") or []
    if not any(volume.get("hostPath") for volume in volumes):
        return {}
    redirected: dict[str, Obj] = {}
    out: list[Obj] = []
    for volume in volumes:
        path: str = (volume.get("hostPath") or {}).get("path", "")
        new = host_path(ctx, volume["name"], path) if path else path
        if new == path:
            out.append(volume)
            continue
        out.append({**volume, "hostPath": _source(volume["hostPath"], new)})
        if _clean(path) in MAPPED:
            redirected[volume["name"]] = volume
    changes: Changes = {"volumes": out}
    if redirected:
        changes["volumes"] = out + _physical_volumes(ctx, redirected)
        for kind in ("initContainers", "containers"):
            if spec.get(kind):
                changes[kind] = [_mounts(ctx, one, redirected) for one in spec[kind]]
    return changes


def pod_uids(spec: Obj) -> frozenset[str]:
    """The UIDs that host paths of a virtual pod name below the kubelet's folder of pods."""
    paths = (_clean((volume.get("hostPath") or {}).get("path") or "") for volume in spec.get("volumes") or ())
    return frozenset(_pod_uid(path)[0] for path in paths if _within(path, KUBELET_PODS) and path != KUBELET_PODS)


def host_path(ctx: PodContext, volume_name: str, path: str) -> str:
    """The path on the node for a path that a tenant names."""
    clean = _clean(path)
    own = tenant_folder(ctx.tenant)
    if _within(clean, ROOT) and clean != ROOT and not _within(clean, own):
        raise Refused(f'volume "{volume_name}": the host path "{path}" belongs to another virtual cluster')
    if clean == ROOT:
        raise Refused(
            f'volume "{volume_name}": the host path "{path}" holds the folders of all virtual clusters; use "{own}"'
        )
    if clean in MAPPED:
        return f"{own}/{MAPPED[clean]}"
    if _within(clean, KUBELET_PODS):
        uid, rest = _pod_uid(clean)
        if uid in ctx.host_uids:
            return posixpath.join(KUBELET_PODS, ctx.host_uids[uid], rest).rstrip("/")
    for deep in _DEEP:
        if _within(clean, deep):
            return f"{own}/{MAPPED[deep]}{clean.removeprefix(deep)}"
    return path


def tenant_folder(tenant: Tenant) -> str:
    """The folder on each node that stands for the host's logs and pods."""
    return f"{ROOT}/{tenant.namespace}/{tenant.name}"


def _source(source: Obj, path: str) -> Obj:
    out = {**source, "path": path}
    if out.get("type") == "Directory":
        # the folder appears when the mapper runs; a pod must not fail because it came first
        out["type"] = "DirectoryOrCreate"
    return out


def _physical_volumes(ctx: PodContext, redirected: Mapping[str, Obj]) -> list[Obj]:
    """The originals, which the links in the tenant's folder point to."""
    if not ctx.options.host_path_mapper:
        return []
    return [
        {"name": name + keys.PHYSICAL_SUFFIX, "hostPath": dict(volume["hostPath"])}
        for name, volume in redirected.items()
    ]


def _mounts(ctx: PodContext, one: Obj, redirected: Mapping[str, Obj]) -> Obj:
    mounts: list[Obj] = one.get("volumeMounts") or []
    if not any(mount["name"] in redirected for mount in mounts):
        return one
    out = [
        {**mount, "mountPropagation": "HostToContainer"} if mount["name"] in redirected else mount for mount in mounts
    ]
    taken = {mount["mountPath"] for mount in mounts}
    for mount in mounts if ctx.options.host_path_mapper else ():
        if mount["name"] not in redirected:
            continue
        target = f"{PHYSICAL}/{MAPPED[_clean(redirected[mount['name']]['hostPath']['path'])]}"
        if target not in taken:
            # a container may mount the same path twice; the original only once
            taken.add(target)
            extra = {
                **mount,
                "name": mount["name"] + keys.PHYSICAL_SUFFIX,
                "mountPath": target,
                "mountPropagation": "HostToContainer",
            }
            out.append(extra)
    return {**one, "volumeMounts": out}


def _clean(path: str) -> str:
    """The path as the node resolves it, links apart."""
    return "/" + posixpath.normpath(path).lstrip("/")


def _pod_uid(path: str) -> tuple[str, str]:
    uid, _, rest = path.removeprefix(KUBELET_PODS + "/").partition("/")
    return uid, rest


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
