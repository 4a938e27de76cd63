"""What a kubelet of the host says about all its pods, reduced to those of the tenant and in the tenant's names.

Samples and statistics that belong to no pod are the node's own and pass (spec §3.4). What belongs to a pod passes only
for a pod that was found to be the tenant's; what cannot be read does not pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from nestling.kube.resource import Obj
from nestling.kubelet.directory import Target

#: Labels of samples that name something of a pod's. A sample with one of them needs a pod of the tenant.
_POD_LABELS: Final = frozenset(
    {"pod", "pod_name", "pod_uid", "uid", "container", "container_name", "id", "name", "image"}
)
_VOLUME: Final = "persistentvolumeclaim"
_NAMESPACE: Final = "namespace"
_SAMPLE: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+([^{}]+)")
_LABEL: Final = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)')


def summary(document: Obj, targets: Iterable[Target], node: str) -> Obj:
    """``/stats/summary`` with the tenant's pods alone."""
    known = _by_host_name(targets)
    own = {**document.get("node", {}), "nodeName": node}
    # containers of the system are the host's business
    own.pop("systemContainers", None)
    found = (_pod_stats(one, known) for one in document.get("pods") or ())
    return {"node": own, "pods": [one for one in found if one is not None]}


def metrics(text: str, targets: Iterable[Target]) -> str:
    """Samples of the tenant's pods in its names, and those of the node."""
    known = _by_host_name(targets)
    lines = (line if line.startswith("#") else _sample(line, known) for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def _by_host_name(targets: Iterable[Target]) -> Mapping[tuple[str, str], Target]:
    return {(one.host_key.namespace, one.host_key.name): one for one in targets}


def _pod_stats(stats: Obj, known: Mapping[tuple[str, str], Target]) -> Obj | None:
    reference = stats.get("podRef") or {}
    found = known.get((reference.get("namespace", ""), reference.get("name", "")))
    if found is None or reference.get("uid") != found.host_uid:
        return None
    return {
        **stats,
        "podRef": {"name": found.key.name, "namespace": found.key.namespace, "uid": found.uid},
        "containers": [one for one in stats.get("containers") or () if one.get("name") in found.containers],
        **({"volume": [_volume_stats(one, found) for one in stats["volume"]]} if stats.get("volume") else {}),
    }


def _volume_stats(volume: Obj, found: Target) -> Obj:
    reference = volume.get("pvcRef")
    if not reference:
        return volume
    claim = found.claims.get(reference.get("name", ""))
    rest = {key: value for key, value in volume.items() if key != "pvcRef"}
    return {**rest, "pvcRef": {"name": claim, "namespace": found.key.namespace}} if claim else rest


def _sample(line: str, known: Mapping[tuple[str, str], Target]) -> str:
    match = _SAMPLE.fullmatch(line.strip())
    if match is None:
        return ""
    name, inner, value = match.groups()
    labels = _labels(inner or "")
    if labels is None:
        return ""
    translated = _translated(labels, known)
    if translated is None:
        return ""
    shown = ",".join(f'{key}="{text}"' for key, text in translated.items())
    return f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _labels(inner: str) -> dict[str, str] | None:
    """The labels of a sample with their values as they are written; None when this is not all that there is."""
    found, at = {}, 0
    while at < len(inner):
        match = _LABEL.match(inner, at)
        if match is None:
            return None
        found[match[1]] = match[2]
        at = match.end()
    return found


def _translated(labels: dict[str, str], known: Mapping[tuple[str, str], Target]) -> dict[str, str] | None:
    namespace = labels.get(_NAMESPACE, "")
    pod = labels.get("pod") or labels.get("pod_name") or ""
    if pod:
        return _of_pod(labels, known.get((namespace, pod)))
    if labels.get(_VOLUME):
        return _of_claim(labels, namespace, known)
    # of the node: nothing in it may point at anything of a pod
    is_of_node = not namespace and not any(labels.get(name) for name in _POD_LABELS if not _is_root(name, labels))
    return labels if is_of_node else None


def _is_root(name: str, labels: Mapping[str, str]) -> bool:
    """The cgroup at the root is the whole node."""
    return name == "id" and labels["id"] == "/" if name in labels else False


def _of_pod(labels: dict[str, str], found: Target | None) -> dict[str, str] | None:
    if found is None:
        return None
    container = labels.get("container") or labels.get("container_name") or ""
    if container and container != "POD" and container not in found.containers:
        return None
    own: dict[str, Any] = {"pod": found.key.name, "pod_name": found.key.name, _NAMESPACE: found.key.namespace}
    own |= dict.fromkeys(("pod_uid", "uid"), found.uid)
    own[_VOLUME] = found.claims.get(labels.get(_VOLUME, ""), "")
    # the path of the cgroup and the name of the container in the runtime name the host pod
    own |= dict.fromkeys(("id", "name"), "")
    return {key: own.get(key, value) for key, value in labels.items()}


def _of_claim(labels: dict[str, str], namespace: str, known: Mapping[tuple[str, str], Target]) -> dict[str, str] | None:
    for (host_namespace, _), target in known.items():
        claim = target.claims.get(labels[_VOLUME])
        if claim and host_namespace == namespace:
            return {**labels, _VOLUME: claim, _NAMESPACE: target.key.namespace}
    return None
