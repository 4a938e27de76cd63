"""What the objects on the host tell about virtual clusters. Pure.

A virtual cluster is a StatefulSet or a Deployment with the label ``app=vcluster``; its name is the label ``release``
(spec §7). That holds for those of vCluster too.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from nestling.drivers import base
from nestling.kube.resource import Obj, Resource

STATEFUL_SETS: Final = Resource("apps", "v1", "statefulsets", "StatefulSet")
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
KINDS: Final = (STATEFUL_SETS, DEPLOYMENTS)

SELECTOR: Final = "app=vcluster"
ETCD_SELECTOR: Final = "app=vcluster-etcd"
PAUSED: Final = "loft.sh/paused"
PAUSED_REPLICAS: Final = "loft.sh/paused-replicas"
PAUSED_DATE: Final = "loft.sh/paused-date"
CONTAINER: Final = "syncer"
_BINARIES: Final = "kubernetes"
#: A release whose workload never came: ``create`` clears it, ``delete`` removes it.
HALF_MADE: Final = "its creation was interrupted"


def resource_of(workload: Obj) -> Resource:
    """The resource of a StatefulSet or Deployment."""
    return next(kind for kind in KINDS if kind.kind == workload["kind"])


def clusters(
    found: Iterable[Obj], services: Iterable[Obj], pods: Iterable[Obj], *, host_context: str
) -> list[base.VirtualCluster]:
    """The virtual clusters, sorted; a Service of the chart without a workload is one that was half made."""
    of_release: dict[tuple[str, str], list[Obj]] = {}
    for pod in pods:
        of_release.setdefault(_key(pod), []).append(pod)
    made = {_key(one): describe(one, of_release.get(_key(one), []), host_context) for one in found}
    for service in services:
        if service["metadata"]["labels"].get("heritage") == "Helm":
            made.setdefault(_key(service), _half_made(service, host_context))
    return [made[key] for key in sorted(made) if key[1]]


def describe(workload: Obj, pods: Sequence[Obj], host_context: str) -> base.VirtualCluster:
    """One virtual cluster as its workload and its pods show it."""
    meta = workload["metadata"]
    status, detail = status_of(workload, pods)
    tags = image_tags(workload)
    return base.VirtualCluster(
        name=meta["labels"]["release"],
        namespace=meta["namespace"],
        host_context=host_context,
        status=status,
        version=version(workload),
        created=_time(meta["creationTimestamp"]),
        kubernetes_version=tags.get("api", ""),
        detail=detail,
        image_tags=tags,
    )


def _half_made(service: Obj, host_context: str) -> base.VirtualCluster:
    meta = service["metadata"]
    return base.VirtualCluster(
        name=meta["labels"]["release"],
        namespace=meta["namespace"],
        host_context=host_context,
        status="Terminating" if meta.get("deletionTimestamp") else "Failed",
        version=version(service),
        created=_time(meta["creationTimestamp"]),
        detail=HALF_MADE,
    )


def status_of(workload: Obj, pods: Sequence[Obj]) -> tuple[str, str]:
    """The status as ``list`` shows it, and what is to be said about it (spec §7)."""
    meta = workload["metadata"]
    if meta.get("deletionTimestamp"):
        return "Terminating", "is being deleted"
    if is_paused(workload):
        return "Paused", ""
    if workload["spec"].get("replicas", 1) == 0:
        return "ScaledDown", "it has no replicas; connect or resume starts it"
    problems = [pod_status(pod) for pod in pods]
    if any(not problem for problem, _ in problems):
        return "Running", ""
    if not problems:
        return "Pending", _condition(workload)
    return problems[0]


def pod_status(pod: Obj) -> tuple[str, str]:
    """The one word that kubectl shows for a pod, and the reason behind it; both empty for one that is ready."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating", "its pod is being ended"
    status = pod.get("status") or {}
    for state, prefix in _states(status):
        for kind in ("waiting", "terminated"):
            said: Mapping[str, Any] = state.get(kind) or {}
            if said and not (kind == "terminated" and said.get("exitCode") == 0):
                reason = said.get("reason") or f"ExitCode:{said.get('exitCode')}"
                return f"{prefix}{reason}", said.get("message") or ""
    if is_ready(pod):
        return "", ""
    if status.get("phase") == "Running":
        return "Pending", "its API server is not ready yet"
    phase = status.get("phase") or "Unknown"
    # What lifecycle calls failed is a release that was never complete; this is a pod that ended.
    return status.get("reason") or ("Error" if phase == "Failed" else phase), _message(status)


def is_ready(pod: Obj) -> bool:
    """Whether a pod takes connections."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _states(status: Obj) -> Iterator[tuple[Obj, str]]:
    """The states of the containers, those of init containers with kubectl's mark."""
    for key, prefix in (("initContainerStatuses", "Init:"), ("containerStatuses", "")):
        for one in status.get(key) or []:
            yield one.get("state") or {}, prefix


def _message(status: Obj) -> str:
    """Why a pod does not start: no node for it, no volume."""
    conditions = status.get("conditions") or []
    said = [one["message"] for one in conditions if one.get("status") == "False" and one.get("message")]
    return status.get("message") or (said[0] if said else "")


def _condition(workload: Obj) -> str:
    """Why there is no pod at all, where the workload says it: a quota, an admission webhook."""
    conditions = (workload.get("status") or {}).get("conditions") or []
    said = [one.get("message") for one in conditions if one.get("type") == "ReplicaFailure"]
    return said[0] if said and said[0] else "its pod was not created yet"


def version(body: Obj) -> str:
    """The version in the label ``chart``, which is the chart's name and version."""
    return str((body["metadata"].get("labels") or {}).get("chart") or "").removeprefix("vcluster-")


def image_tags(workload: Obj) -> dict[str, str]:
    """The tags of the images: ``api`` for the Kubernetes binaries, ``syncer`` for our program."""
    spec = workload["spec"]["template"]["spec"]
    named = {one["name"]: one.get("image", "") for one in (*(spec.get("initContainers") or ()), *spec["containers"])}
    wanted = {"api": named.get(_BINARIES, ""), "syncer": named.get(CONTAINER, "")}
    return {key: tag for key, image in wanted.items() if (tag := _tag(image))}


def _tag(image: str) -> str:
    last = image.rpartition("/")[2].partition("@")[0]
    return last.partition(":")[2]


def is_paused(workload: Obj) -> bool:
    """Whether somebody paused it."""
    return (workload["metadata"].get("annotations") or {}).get(PAUSED) == "true"


def paused_replicas(workload: Obj) -> int:
    """How many replicas a paused workload had."""
    text = (workload["metadata"].get("annotations") or {}).get(PAUSED_REPLICAS, "")
    return int(text) if text.isdigit() and int(text) > 0 else 1


def pausing(workload: Obj, now: datetime.datetime) -> Obj:
    """The patch that pauses a workload; one that is paused already keeps what it remembers (spec §7)."""
    replicas = workload["spec"].get("replicas", 1)
    remembered = paused_replicas(workload) if replicas == 0 else replicas
    annotations = {PAUSED: "true", PAUSED_REPLICAS: str(remembered), PAUSED_DATE: f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    return {"metadata": {"annotations": annotations}, "spec": {"replicas": 0}}


def resuming(workload: Obj) -> Obj:
    """The patch that undoes a pause."""
    annotations = dict.fromkeys((PAUSED, PAUSED_REPLICAS, PAUSED_DATE))
    return {"metadata": {"annotations": annotations}, "spec": {"replicas": paused_replicas(workload)}}


def _key(body: Obj) -> tuple[str, str]:
    meta = body["metadata"]
    return meta["namespace"], (meta.get("labels") or {}).get("release", "")


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
