"""What needs private nodes and what they exclude, and tolerations (spec §4.5, §2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nestling.config import errors, model, resolve
from nestling.config.rules import names, paths

_SWITCH: Final = "privateNodes.enabled"
_EFFECTS: Final = frozenset({"NoSchedule", "PreferNoSchedule", "NoExecute"})


def private_nodes_only(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """Keys that mean something only when the virtual cluster has nodes of its own."""
    if resolve.private_nodes(config):
        return
    kube_ovn = config.control_plane.advanced.cloud_controller_manager.kube_ovn
    asked = {
        "controlPlane.endpoint": config.control_plane.endpoint,
        "deploy.csi.kubeVirt.enabled": config.deploy.csi.kube_virt.enabled,
        "controlPlane.advanced.cloudControllerManager.kubeOvn.enabled": kube_ovn and kube_ovn.enabled,
    }
    for key, on in asked.items():
        if on:
            yield paths.problem(key, "works with private nodes only", f"write {_SWITCH}: true, or remove it", _SWITCH)


def private_nodes_exclude(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """With private nodes nothing is synced to the host, so that what builds on it cannot work."""
    if not resolve.private_nodes(config):
        return
    mapper = config.control_plane.host_path_mapper
    integrations = config.integrations
    asked = {
        "controlPlane.coredns.embedded": config.control_plane.coredns.embedded,
        "controlPlane.hostPathMapper.enabled": mapper and mapper.enabled,
        "sync.toHost.namespaces.enabled": config.sync.to_host.namespaces.enabled,
        "integrations.metricsServer.enabled": integrations.metrics_server.enabled,
        "integrations.kubeVirt.enabled": integrations.kube_virt.enabled,
        "integrations.externalSecrets.enabled": integrations.external_secrets.enabled,
        "integrations.certManager.enabled": integrations.cert_manager.enabled,
        "integrations.istio.enabled": integrations.istio.enabled,
    }
    for key, on in asked.items():
        if on:
            hint = "remove it: with private nodes nothing is synced to the host"
            yield paths.problem(key, "does not work with private nodes", hint, _SWITCH)


def tolerations_are_readable(config: model.VClusterConfig) -> Iterator[errors.Finding]:
    """``key=value:Effect``, ``key:Effect``, ``key`` or ``*`` (spec §2.2)."""
    for index, text in enumerate(config.sync.to_host.pods.enforce_tolerations):
        if not is_toleration(text):
            place = paths.at("sync.toHost.pods.enforceTolerations", index)
            hint = "write key=value:Effect, key:Effect, key or *; effects are NoSchedule, PreferNoSchedule, NoExecute"
            yield paths.problem(place, f'is "{text}"', hint)


def is_toleration(text: str) -> bool:
    """Whether the short form of a toleration can be read."""
    if text == "*":
        return True
    rest, colon, effect = text.partition(":")
    key, equals, value = rest.partition("=")
    if colon and effect not in _EFFECTS:
        return False
    return names.is_qualified(key) and (not equals or names.is_label_value(value))


RULES: Final = (private_nodes_only, private_nodes_exclude, tolerations_are_readable)
