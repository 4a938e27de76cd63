"""What tenants see of the host."""

import pydantic

from nestling.config.models import base, common, imported_gateways_keys


class NodeSelector(base.Section):
    """Which host nodes tenants see."""

    all: bool = False
    """All nodes."""
    labels: dict[str, str] = pydantic.Field(default={})
    """Nodes with these labels; pods can then only run there."""


class Nodes(base.Section):
    """Real nodes. Without this sync a stand-in is shown for each node that runs a pod of the tenant."""

    enabled: bool = False
    """Show nodes of the host as they are."""
    sync_back_changes: bool = False
    """Carry labels, taints and cordoning from the virtual cluster to the host node."""
    clear_image_status: bool = False
    """Hide which images a node holds."""
    selector: base.Part[NodeSelector] = base.part(NodeSelector)
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""


class StorageClassesFromHost(base.Section):
    """StorageClasses of the host."""

    enabled: base.StrBool = "auto"
    """Sync the kind; auto means with a virtual scheduler and claims that go to the host."""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""
    selector: base.Part[common.LabelSelector] | None = None
    """Take only classes with these labels. Claims that use another one are not synced."""


class CustomResourceFromHost(base.Section):
    """Read-only copies of one kind of custom resource."""

    enabled: bool | None = None
    """Sync objects of this kind."""
    scope: str | None = None
    """Cluster or Namespaced."""
    patches: base.Absent[list[base.Part[common.Patch]]] = pydantic.Field(default=[])
    """Changes to the objects while they are synced."""
    mappings: base.Part[common.NameMappings] | None = None
    """For Namespaced: which host objects appear where."""


class FromHost(base.Section):
    """What tenants see of the host."""

    nodes: base.Part[Nodes] = base.part(Nodes)
    events: base.Part[common.SyncOn] = base.part(common.SyncOn)
    """Events of objects that were synced, shown on the virtual object."""
    ingress_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """IngressClasses of the host."""
    gateway_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """GatewayClasses of the host."""
    gateways: base.Part[imported_gateways_keys.Gateways] = base.part(imported_gateways_keys.Gateways)
    runtime_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """RuntimeClasses of the host."""
    priority_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """PriorityClasses of the host; excludes those that tenants create."""
    storage_classes: base.Part[StorageClassesFromHost] = base.part(StorageClassesFromHost)
    csi_nodes: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """CSINodes of the host; auto means with a virtual scheduler."""
    csi_drivers: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """CSIDrivers of the host; auto means with a virtual scheduler."""
    csi_storage_capacities: base.Part[common.SyncAuto] = base.part(common.SyncAuto)
    """CSIStorageCapacities of the host; auto means with a virtual scheduler."""
    custom_resources: base.Absent[dict[str, base.Part[CustomResourceFromHost]]] = pydantic.Field(default={})
    """Custom resources by plural.group, optionally with /version."""
    volume_snapshot_classes: base.Part[common.RemovedSync] | None = None
    """No longer exists: VolumeSnapshotClasses are not synced."""
    config_maps: base.Part[common.SyncMapped] = base.part(common.SyncMapped)
    """ConfigMaps of chosen host namespaces."""
    secrets: base.Part[common.SyncMapped] = base.part(common.SyncMapped)
    """Secrets of chosen host namespaces."""
    device_classes: base.Part[common.SyncSelected] = base.part(common.SyncSelected)
    """DeviceClasses of dynamic resource allocation."""
