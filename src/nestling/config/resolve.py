"""What ``auto`` and other open values come to, as pure functions of the configuration."""

from __future__ import annotations

import re
from typing import Final

from nestling.config import model
from nestling.config.models import base

_VERSION: Final = re.compile(r"v?(1\.[0-9]+)(\.[0-9]+)?")
#: What the chart writes as image tag; it says nothing about what the user wants.
_IMAGE_TAG: Final = ("controlPlane", "distro", "k8s", "image", "tag")


def private_nodes(config: model.VClusterConfig) -> bool:
    """Whether the virtual cluster has nodes of its own; a standalone control plane always does (spec §4.5)."""
    return config.private_nodes.enabled or bool(config.control_plane.standalone.enabled)


def kubernetes_version(config: model.VClusterConfig) -> str | None:
    """The version that the user asks for: ``distro.k8s.version``, else the tag of the image that they wrote, else None.

    A tag names an image, which stock binaries cannot be in each patch release: its minor version counts. It may carry a
    suffix (``v1.32.1-full``); a tag that is no version (``latest``) asks for nothing.
    """
    if config.control_plane.distro.k8s.version:
        return config.control_plane.distro.k8s.version
    tag = image_tag(config)
    found = _VERSION.match(tag) if tag else None
    return found[1] if found else None


def image_tag(config: model.VClusterConfig) -> str | None:
    """The tag of the Kubernetes image, when the user and not the chart has chosen it."""
    value: object = config.user_values
    for key in _IMAGE_TAG:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value if isinstance(value, str) else None


def storage_classes_from_host(config: model.VClusterConfig) -> bool:
    """Whether StorageClasses of the host are shown: auto with a virtual scheduler and synced claims (spec §2.1)."""
    auto = (
        config.virtual_scheduler_enabled
        and config.sync.to_host.persistent_volume_claims.enabled
        and not config.sync.to_host.storage_classes.enabled
    )
    return base.is_on(config.sync.from_host.storage_classes.enabled, auto=auto)


def csi_nodes(config: model.VClusterConfig) -> bool:
    """Whether CSINodes are shown: auto with a virtual scheduler, which needs them to place pods with volumes."""
    return base.is_on(config.sync.from_host.csi_nodes.enabled, auto=config.virtual_scheduler_enabled)


def csi_drivers(config: model.VClusterConfig) -> bool:
    """Whether CSIDrivers are shown; auto as for CSINodes."""
    return base.is_on(config.sync.from_host.csi_drivers.enabled, auto=config.virtual_scheduler_enabled)


def csi_storage_capacities(config: model.VClusterConfig) -> bool:
    """Whether CSIStorageCapacities are shown; auto as for CSINodes."""
    return base.is_on(config.sync.from_host.csi_storage_capacities.enabled, auto=config.virtual_scheduler_enabled)


def all_nodes(config: model.VClusterConfig) -> bool:
    """Whether every host node is shown: asked for, or needed by a virtual scheduler that may use all (spec §2.4)."""
    selector = config.sync.from_host.nodes.selector
    return selector.all or (config.virtual_scheduler_enabled and not selector.labels)


def resource_quota(config: model.VClusterConfig) -> bool:
    """Whether the ResourceQuota is created: auto when the LimitRange is asked for (spec §5)."""
    return base.is_on(config.policies.resource_quota.enabled, auto=config.policies.limit_range.enabled == "true")


def limit_range(config: model.VClusterConfig) -> bool:
    """Whether the LimitRange is created: auto when the ResourceQuota is asked for (spec §5)."""
    return base.is_on(config.policies.limit_range.enabled, auto=config.policies.resource_quota.enabled == "true")


def reference_grants(config: model.VClusterConfig) -> bool:
    """Whether ReferenceGrants are synced: auto with namespace sync, where they keep their meaning (spec §2.8)."""
    auto = config.sync.to_host.namespaces.enabled
    return base.is_on(config.sync.to_host.gateway_api.reference_grants.enabled, auto=auto)


def all_config_maps(config: model.VClusterConfig) -> bool:
    """Whether unused ConfigMaps are synced too; namespace sync implies it (spec §1.8)."""
    return config.sync.to_host.config_maps.all or config.sync.to_host.namespaces.enabled


def all_secrets(config: model.VClusterConfig) -> bool:
    """Whether unused Secrets are synced too; namespace sync implies it (spec §1.8)."""
    return config.sync.to_host.secrets.all or config.sync.to_host.namespaces.enabled


def store_in_pod(config: model.VClusterConfig) -> bool:
    """Whether the data lies beside the API server: always, unless the store is deployed apart or external."""
    store = config.control_plane.backing_store
    return not (store.etcd.deploy.enabled or store.etcd.external.enabled or store.database.external.enabled)


def volume_claim(config: model.VClusterConfig) -> bool:
    """Whether the control plane gets a PersistentVolume: auto when the store is in its pod."""
    claim = config.control_plane.stateful_set.persistence.volume_claim
    return base.is_on(claim.enabled, auto=store_in_pod(config))
