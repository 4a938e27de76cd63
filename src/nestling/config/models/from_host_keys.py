"""Models of from_host_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common, imported_gateways_keys


class Selector(base.Section):
    """TODO class sync.fromHost.nodes.selector"""

    all: bool = False
    """TODO sync.fromHost.nodes.selector.all"""
    labels: dict[str, str] = pydantic.Field(default={})
    """TODO sync.fromHost.nodes.selector.labels"""


class Nodes(base.Section):
    """TODO class sync.fromHost.nodes"""

    enabled: bool = False
    """TODO sync.fromHost.nodes.enabled"""
    sync_back_changes: bool = False
    """TODO sync.fromHost.nodes.syncBackChanges"""
    clear_image_status: bool = False
    """TODO sync.fromHost.nodes.clearImageStatus"""
    selector: base.Part[Selector] = base.part(Selector)
    """TODO sync.fromHost.nodes.selector"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.fromHost.nodes.patches"""


class StorageClassesFromHost(base.Section):
    """TODO class sync.fromHost.storageClasses"""

    enabled: base.StrBool = "auto"
    """TODO sync.fromHost.storageClasses.enabled"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.fromHost.storageClasses.patches"""
    selector: base.Part[common.LabelSelector] | None = None
    """TODO sync.fromHost.storageClasses.selector"""


class CustomResourceFromHost(base.Section):
    """TODO class sync.fromHost.customResources.<name>"""

    enabled: bool | None = None
    """TODO sync.fromHost.customResources.<name>.enabled"""
    scope: str | None = None
    """TODO sync.fromHost.customResources.<name>.scope"""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """TODO sync.fromHost.customResources.<name>.patches"""
    mappings: base.Part[common.NameMappings] | None = None
    """TODO sync.fromHost.customResources.<name>.mappings"""


class FromHost(base.Section):
    """TODO class sync.fromHost"""

    nodes: base.Part[Nodes] = base.part(Nodes)
    """TODO sync.fromHost.nodes"""
    events: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """TODO sync.fromHost.events"""
    ingress_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """TODO sync.fromHost.ingressClasses"""
    gateway_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """TODO sync.fromHost.gatewayClasses"""
    gateways: base.Part[imported_gateways_keys.Gateways] = base.part(imported_gateways_keys.Gateways)
    """TODO sync.fromHost.gateways"""
    runtime_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """TODO sync.fromHost.runtimeClasses"""
    priority_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """TODO sync.fromHost.priorityClasses"""
    storage_classes: base.Part[StorageClassesFromHost] = base.part(StorageClassesFromHost)
    """TODO sync.fromHost.storageClasses"""
    csi_nodes: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """TODO sync.fromHost.csiNodes"""
    csi_drivers: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """TODO sync.fromHost.csiDrivers"""
    csi_storage_capacities: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """TODO sync.fromHost.csiStorageCapacities"""
    custom_resources: base.Absent[dict[str, base.Part[CustomResourceFromHost]]] = pydantic.Field(default={})
    """TODO sync.fromHost.customResources"""
    volume_snapshot_classes: base.Part[common.RemovedSync] | None = None
    """TODO sync.fromHost.volumeSnapshotClasses"""
    config_maps: base.Part[common.SyncMapped] = base.part(common.SyncMapped)
    """TODO sync.fromHost.configMaps"""
    secrets: base.Part[common.SyncMapped] = base.part(common.SyncMapped)
    """TODO sync.fromHost.secrets"""
    device_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """TODO sync.fromHost.deviceClasses"""
