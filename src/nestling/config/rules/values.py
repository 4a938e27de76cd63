"""Values that must be one of a few, and settings of the chart that exclude each other (spec §5, §6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from nestling.config import errors, model, resolve
from nestling.config.rules import paths

_PULL: Final = ("Always", "IfNotPresent", "Never")
_CLAIM: Final = ("Retain", "Delete")
_PODS: Final = ("Parallel", "OrderedReady")
_SET: Final = "controlPlane.statefulSet"
_ETCD: Final = "controlPlane.backingStore.etcd.deploy.statefulSet"
_VERSION: Final = re.compile(r"v?1\.[0-9]+(\.[0-9]+)?")


def choices(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Words of which only a few mean something."""
    plane, etcd = config.control_plane, config.control_plane.backing_store.etcd.deploy.stateful_set
    words: dict[str, tuple[str | None, tuple[str, ...]]] = {
        "logging.encoding": (config.logging.encoding, ("console", "json")),
        "policies.podSecurityStandard": (
            config.policies.pod_security_standard,
            ("privileged", "baseline", "restricted"),
        ),
        "controlPlane.ingress.pathType": (plane.ingress.path_type, ("ImplementationSpecific", "Prefix", "Exact")),
        f"{_SET}.imagePullPolicy": (plane.stateful_set.image_pull_policy, _PULL),
        "controlPlane.distro.k8s.imagePullPolicy": (plane.distro.k8s.image_pull_policy, _PULL),
        f"{_ETCD}.imagePullPolicy": (etcd.image_pull_policy, _PULL),
        f"{_SET}.persistence.volumeClaim.retentionPolicy": (
            plane.stateful_set.persistence.volume_claim.retention_policy,
            _CLAIM,
        ),
        f"{_ETCD}.persistence.volumeClaim.retentionPolicy": (
            etcd.persistence.volume_claim.retention_policy,
            _CLAIM,
        ),
        f"{_SET}.scheduling.podManagementPolicy": (plane.stateful_set.scheduling.pod_management_policy, _PODS),
        f"{_ETCD}.scheduling.podManagementPolicy": (etcd.scheduling.pod_management_policy, _PODS),
        "controlPlane.advanced.podDisruptionBudget.unhealthyPodEvictionPolicy": (
            plane.advanced.pod_disruption_budget.unhealthy_pod_eviction_policy,
            ("IfHealthyBudget", "AlwaysAllow"),
        ),
        "snapshots.auto.storage.type": (_storage_type(config), ("s3", "oci", "container", "azure")),
    }
    for key, (word, allowed) in words.items():
        if word and word not in allowed:
            yield paths.problem(key, f'is "{word}"', f"write {_or(allowed)}")


def _storage_type(config: model.VClusterConfig) -> str | None:
    auto = config.snapshots.auto if config.snapshots else None
    return auto.storage.type if auto and auto.storage else None


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def kubernetes_version(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """The version is readable, and the tag of the image does not ask for another one."""
    version = config.control_plane.distro.k8s.version
    if version and not _VERSION.fullmatch(version):
        hint = "write for example v1.34.4 or 1.34"
        yield paths.problem("controlPlane.distro.k8s.version", f'is "{version}"', hint)
        return
    tag = resolve.image_tag(config)
    found = _VERSION.match(tag) if tag else None
    if version and found and not _agree(version.removeprefix("v"), found[0].removeprefix("v")):
        yield paths.problem(
            "controlPlane.distro.k8s.version",
            f'is "{version}", but the tag of controlPlane.distro.k8s.image is "{tag}"',
            "keep one of the two",
            "controlPlane.distro.k8s.image.tag",
        )


def _agree(one: str, other: str) -> bool:
    short, long = sorted((one.split("."), other.split(".")), key=len)
    return long[: len(short)] == short


def disruption_budget(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """A PodDisruptionBudget says either how many must stay or how many may go."""
    budget = config.control_plane.advanced.pod_disruption_budget
    place = "controlPlane.advanced.podDisruptionBudget"
    if not budget.enabled:
        return
    given = {"minAvailable": budget.min_available, "maxUnavailable": budget.max_unavailable}
    chosen = {key: value for key, value in given.items() if value not in (None, "")}
    if len(chosen) != 1:
        message = "has both minAvailable and maxUnavailable" if chosen else "has no number"
        yield paths.problem(place, message, "write either minAvailable or maxUnavailable")
    for key, value in chosen.items():
        if not _count_or_percent(value):
            yield paths.problem(f"{place}.{key}", f'is "{value}"', 'write a number or a percentage, such as 1 or "50%"')


def _count_or_percent(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[0-9]+%?", value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def log_volume(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Logs in a file get the volume vcluster-logs; no other volume may have that name."""
    if not config.logging.file.enabled:
        return
    for index, volume in enumerate(config.control_plane.stateful_set.persistence.add_volumes):
        if volume.get("name") == "vcluster-logs":
            place = paths.at(f"{_SET}.persistence.addVolumes", index, "name")
            yield paths.problem(place, "is vcluster-logs, the volume of the log file", "choose another name")


def extra_arguments(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Arguments are merged by the name of the flag: a list begins with one, and name and value never share a space."""
    k8s = config.control_plane.distro.k8s
    store = config.control_plane.backing_store
    arguments = {
        "controlPlane.distro.k8s.apiServer.extraArgs": k8s.api_server.extra_args,
        "controlPlane.distro.k8s.controllerManager.extraArgs": k8s.controller_manager.extra_args,
        "controlPlane.distro.k8s.scheduler.extraArgs": k8s.scheduler.extra_args,
        "controlPlane.backingStore.etcd.embedded.extraArgs": store.etcd.embedded.extra_args,
    }
    for key, given in arguments.items():
        for index, argument in enumerate(given):
            place = paths.at(key, index)
            if index == 0 and not argument.startswith("-"):
                yield paths.problem(place, f'is "{argument}", which is no flag', "write --name=value")
            elif re.match(r"--?[A-Za-z][\w-]*\s", argument):
                hint = f"write {'='.join(argument.split(None, 1))}"
                yield paths.problem(place, f'is "{argument}", with a space between name and value', hint)


RULES: Final = (choices, kubernetes_version, disruption_budget, log_volume, extra_arguments)
