from __future__ import annotations

import pytest

from tests.unit.config.support import config, problem, where

SCHEDULER = "controlPlane.distro.k8s.scheduler.enabled"


@pytest.mark.parametrize("key", [SCHEDULER, "controlPlane.advanced.virtualScheduler.enabled"])
def test_a_virtual_scheduler_needs_the_nodes_of_the_host(key: str) -> None:
    found = problem("", sets=(f"{key}=true",))
    assert (found.path, found.message) == (key, "needs the nodes of the host")
    config("", f"{key}=true", "sync.fromHost.nodes.enabled=true")
    config("", f"{key}=true", "privateNodes.enabled=true")


def test_hybrid_scheduling_needs_nodes_and_a_scheduler() -> None:
    key = "sync.toHost.pods.hybridScheduling.enabled"
    assert where("sync: {toHost: {pods: {hybridScheduling: {enabled: true}}}}") == [key, key]
    config("", f"{key}=true", f"{SCHEDULER}=true", "sync.fromHost.nodes.enabled=true")


@pytest.mark.parametrize("kind", ["storageClasses", "priorityClasses"])
def test_classes_come_from_one_side(kind: str) -> None:
    found = problem("", sets=(f"sync.toHost.{kind}.enabled=true", f"sync.fromHost.{kind}.enabled=true"))
    assert found.path == f"sync.toHost.{kind}.enabled"
    config("", f"sync.toHost.{kind}.enabled=true", f"sync.fromHost.{kind}.enabled=false")


def test_storage_classes_to_the_host_pass_with_auto_from_the_host() -> None:
    config("sync: {toHost: {storageClasses: {enabled: true}}, fromHost: {storageClasses: {enabled: auto}}}")


def test_namespace_sync_excludes_network_policies() -> None:
    text = "sync: {toHost: {networkPolicies: {enabled: true}, namespaces: {enabled: true, mappings: {byName: {a: b}}}}}"
    assert where(text) == ["sync.toHost.networkPolicies.enabled"]


@pytest.mark.parametrize("name", ["certificates", "certificates.io", "A.b.c", "a.b.c/v1/x"])
def test_custom_resources_are_named_by_plural_and_group(name: str) -> None:
    found = problem(f"sync: {{toHost: {{customResources: {{'{name}': {{enabled: true}}}}}}}}")
    assert found.message == "does not name a custom resource"


def test_custom_resources_with_a_version_pass() -> None:
    config("sync: {toHost: {customResources: {certificates.cert-manager.io/v1: {enabled: true, scope: Namespaced}}}}")


def test_custom_resources_to_the_host_are_namespaced() -> None:
    found = problem("sync: {toHost: {customResources: {a.b.c: {enabled: true, scope: Cluster}}}}")
    assert found.path == 'sync.toHost.customResources["a.b.c"].scope'
    assert problem("sync: {fromHost: {customResources: {a.b.c: {enabled: true, scope: World}}}}").hint == (
        "write Cluster or Namespaced"
    )


def test_a_custom_resource_goes_one_way() -> None:
    text = """
        sync:
          toHost: {customResources: {a.b.c: {enabled: true}}}
          fromHost: {customResources: {a.b.c/v1: {enabled: true, scope: Cluster}}}
        """
    assert where(text) == ['sync.toHost.customResources["a.b.c"]']


def test_a_custom_resource_is_synced_or_proxied() -> None:
    text = """
        sync: {toHost: {customResources: {a.b.c: {enabled: true}}}}
        experimental: {proxy: {customResources: {x.b.c/v1: {enabled: true}}}}
        """
    assert where(text) == ['sync.toHost.customResources["a.b.c"]']


def test_a_custom_resource_of_an_integration_is_left_to_it() -> None:
    text = """
        sync: {fromHost: {customResources: {clusterissuers.cert-manager.io: {enabled: true, scope: Cluster}}}}
        integrations: {certManager: {enabled: true}}
        """
    found = problem(text)
    assert found.message == "is already synced by integrations.certManager"
