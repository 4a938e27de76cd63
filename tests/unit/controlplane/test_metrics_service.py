"""The objects of ``metrics.k8s.io``: there when the integration is on, gone when it is off, others' left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nestling.controlplane import metrics_service, rbac
from nestling.kube.resource import SERVICES, Obj, Resource
from tests.unit.controlplane import samples
from tests.unit.controlplane.fake_api import FakeApi

ON = "integrations: {metricsServer: {enabled: true}}"


class Applying(FakeApi):
    """Takes what is applied."""

    async def patch(self, resource: Resource, name: str, patch: Any, namespace: str | None = None, **_: Any) -> Obj:
        self.put(patch, resource.plural)
        return self.objects[resource.plural, namespace or "", name]


def duty(api: FakeApi, folder: Path, text: str) -> metrics_service.MetricsService:
    (folder / "kubelet-client-ca.crt").write_bytes(b"authority")
    return metrics_service.MetricsService(samples.config(text), api.client, folder, 10250)


async def test_on_and_off_again(tmp_path: Path) -> None:
    api = Applying()
    await duty(api, tmp_path, ON).reconcile()
    found = api.objects["apiservices", "", "v1beta1.metrics.k8s.io"]
    assert found["spec"]["service"] == {"name": "metrics-server", "namespace": "kube-system", "port": 10250}
    assert found["spec"]["caBundle"] == "YXV0aG9yaXR5"
    service = api.objects["services", "kube-system", "metrics-server"]
    assert service["spec"] == {"type": "ExternalName", "externalName": "localhost"}
    await duty(api, tmp_path, "").reconcile()
    assert not api.objects


async def test_what_somebody_installed_stays(tmp_path: Path) -> None:
    api = FakeApi()
    installed = {"kind": "APIService", "metadata": {"name": metrics_service.API_SERVICE}}
    api.put(installed, metrics_service.API_SERVICES.plural)
    api.put({"kind": "Service", "metadata": {"name": "metrics-server", "namespace": "kube-system"}}, SERVICES.plural)
    await duty(api, tmp_path, "").reconcile()
    assert len(api.objects) == 2


@pytest.mark.parametrize(
    ("text", "pods", "nodes"),
    [
        ("", False, False),
        (ON, True, True),
        ("integrations: {metricsServer: {enabled: true, nodes: false}}", True, False),
        ("integrations: {metricsServer: {enabled: true, pods: false}}", False, True),
        ("integrations: {metricsServer: {enabled: false, pods: true}}", False, False),
    ],
)
def test_rights_on_the_host_follow_the_switches(text: str, *, pods: bool, nodes: bool) -> None:
    config = samples.config(text)
    role = rbac.role_rules(config, samples.TENANT, ())
    cluster = rbac.cluster_role_rules(config, ()) or []
    found = [[rule for rule in rules if rule["apiGroups"] == ["metrics.k8s.io"]] for rules in (role, cluster)]
    rule = {"apiGroups": ["metrics.k8s.io"], "verbs": ["get", "list"]}
    wanted = [[rule | {"resources": [name]}] if on else [] for name, on in (("pods", pods), ("nodes", nodes))]
    assert found == wanted
    assert metrics_service.offered(config) == {name for name, on in (("pods", pods), ("nodes", nodes)) if on}
