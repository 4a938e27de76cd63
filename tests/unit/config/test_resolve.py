from __future__ import annotations

import pytest

from nestling.config import resolve
from tests.unit.config.support import config

SCHEDULER = ("controlPlane.distro.k8s.scheduler.enabled=true", "sync.fromHost.nodes.enabled=true")


def test_storage_classes_are_shown_with_a_virtual_scheduler() -> None:
    key = "sync.fromHost.storageClasses.enabled"
    assert not resolve.storage_classes_from_host(config())
    assert resolve.storage_classes_from_host(config("", *SCHEDULER))
    assert not resolve.storage_classes_from_host(config("", *SCHEDULER, "sync.toHost.storageClasses.enabled=true"))
    assert not resolve.storage_classes_from_host(
        config("", *SCHEDULER, "sync.toHost.persistentVolumeClaims.enabled=false")
    )
    assert resolve.storage_classes_from_host(config("", f"{key}=true"))
    assert not resolve.storage_classes_from_host(config("", *SCHEDULER, f"{key}=false"))


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("csiNodes", resolve.csi_nodes),
        ("csiDrivers", resolve.csi_drivers),
        ("csiStorageCapacities", resolve.csi_storage_capacities),
    ],
)
def test_csi_kinds_are_shown_with_a_virtual_scheduler(kind: str, shown: object) -> None:
    assert callable(shown)
    assert not shown(config())
    assert shown(config("", *SCHEDULER))
    assert not shown(config("", *SCHEDULER, f"sync.fromHost.{kind}.enabled=false"))
    assert shown(config("", f"sync.fromHost.{kind}.enabled=true"))


@pytest.mark.parametrize(
    ("quota", "limits", "expected"),
    [
        ("auto", "auto", (False, False)),
        ("true", "auto", (True, True)),
        ("auto", "true", (True, True)),
        ("true", "false", (True, False)),
        ("false", "true", (False, True)),
        ("false", "auto", (False, False)),
    ],
)
def test_quota_and_limits_come_together(quota: str, limits: str, expected: tuple[bool, bool]) -> None:
    found = config("", f"policies.resourceQuota.enabled={quota}", f"policies.limitRange.enabled={limits}")
    assert (resolve.resource_quota(found), resolve.limit_range(found)) == expected


@pytest.mark.parametrize(
    ("assignments", "version"),
    [
        ((), None),
        (("controlPlane.distro.k8s.version=1.34",), "1.34"),
        (("controlPlane.distro.k8s.image.tag=v1.32.1",), "1.32"),
        (("controlPlane.distro.k8s.image.tag=v1.32.1-full",), "1.32"),
        (("controlPlane.distro.k8s.image.tag=latest",), None),
        (("controlPlane.distro.k8s.image.registry=my.registry",), None),
        (("controlPlane.distro.k8s.version=1.32", "controlPlane.distro.k8s.image.tag=v1.32.1"), "1.32"),
    ],
)
def test_the_version_of_kubernetes(assignments: tuple[str, ...], version: str | None) -> None:
    assert resolve.kubernetes_version(config("", *assignments)) == version


def test_all_nodes_are_shown_to_a_virtual_scheduler_without_labels() -> None:
    assert not resolve.all_nodes(config())
    assert resolve.all_nodes(config("", *SCHEDULER))
    assert not resolve.all_nodes(config("", *SCHEDULER, "sync.fromHost.nodes.selector.labels.a=b"))
    assert resolve.all_nodes(config("", "sync.fromHost.nodes.selector.all=true"))


def test_namespace_sync_implies_all_config_maps_and_secrets_and_grants() -> None:
    namespaces = config("sync: {toHost: {namespaces: {enabled: true, mappings: {byName: {a: b}}}}}")
    assert resolve.all_config_maps(namespaces)
    assert resolve.all_secrets(namespaces)
    assert resolve.reference_grants(namespaces)
    assert not resolve.all_config_maps(config())
    assert not resolve.all_secrets(config())
    assert not resolve.reference_grants(config())
    assert resolve.all_secrets(config("sync: {toHost: {secrets: {all: true}}}"))


def test_a_volume_is_claimed_when_the_store_is_in_the_pod() -> None:
    deployed = "controlPlane.backingStore.etcd.deploy.enabled=true"
    claim = "controlPlane.statefulSet.persistence.volumeClaim.enabled"
    assert resolve.volume_claim(config())
    assert not resolve.volume_claim(config("", deployed))
    assert resolve.volume_claim(config("", deployed, f"{claim}=true"))
    assert not resolve.volume_claim(config("", f"{claim}=false"))


def test_a_standalone_control_plane_has_private_nodes() -> None:
    assert resolve.private_nodes(config("", "controlPlane.standalone.enabled=true"))
    assert resolve.private_nodes(config("", "privateNodes.enabled=true"))
    assert not resolve.private_nodes(config())
