from __future__ import annotations

import pytest

from nestling.config.rules import nodes
from tests.unit.config.support import config, problem


@pytest.mark.parametrize(
    "assignment",
    [
        "controlPlane.endpoint=vc.example.com:443",
        "deploy.csi.kubeVirt.enabled=true",
        "controlPlane.advanced.cloudControllerManager.kubeOvn.enabled=true",
    ],
)
def test_some_keys_need_private_nodes(assignment: str) -> None:
    found = problem("", sets=(assignment,))
    assert (found.path, found.message) == (assignment.partition("=")[0], "works with private nodes only")
    config("", assignment, "privateNodes.enabled=true")
    config("", assignment, "controlPlane.standalone.enabled=true")


@pytest.mark.parametrize(
    "key",
    [
        "controlPlane.coredns.embedded",
        "controlPlane.hostPathMapper.enabled",
        "integrations.metricsServer.enabled",
        "integrations.kubeVirt.enabled",
        "integrations.externalSecrets.enabled",
        "integrations.certManager.enabled",
        "integrations.istio.enabled",
    ],
)
def test_private_nodes_exclude_what_builds_on_sync(key: str) -> None:
    found = problem("", sets=(f"{key}=true", "privateNodes.enabled=true"))
    assert (found.path, found.message) == (key, "does not work with private nodes")
    config("", f"{key}=true")


def test_private_nodes_exclude_namespace_sync() -> None:
    text = "sync: {toHost: {namespaces: {enabled: true, mappings: {byName: {a: b}}}}}\nprivateNodes: {enabled: true}"
    assert problem(text).path == "sync.toHost.namespaces.enabled"


@pytest.mark.parametrize("text", ["key=value:NoSchedule", "key:NoExecute", "key", "*", "a.b/c=:PreferNoSchedule"])
def test_tolerations_that_can_be_read(text: str) -> None:
    assert nodes.is_toleration(text)


@pytest.mark.parametrize("text", ["", "key:Sometimes", "=value", "a b", "key=a b:NoSchedule", ":NoSchedule"])
def test_tolerations_that_cannot(text: str) -> None:
    assert problem(f"sync: {{toHost: {{pods: {{enforceTolerations: ['{text}']}}}}}}").path == (
        "sync.toHost.pods.enforceTolerations[0]"
    )
