from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from nestling.kube import client, discovery, errors, kubeconfig, paging, requests
from nestling.kube.resource import (
    CLUSTER_ROLE_BINDINGS,
    CONFIG_MAPS,
    ENDPOINTS,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Obj,
    Resource,
)
from tests.support import envtest

pytestmark = pytest.mark.integration

_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
_DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)


def _config_map(name: str, **data: str) -> Obj:
    return {"metadata": {"name": name}, "data": data}


def _pod(name: str, **labels: str) -> Obj:
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "none"}], "automountServiceAccountToken": False},
    }


async def test_an_object_from_birth_to_death(api: client.Client, namespace: str) -> None:
    created = await api.create(CONFIG_MAPS, _config_map("a", x="1"), namespace)
    assert (created["apiVersion"], created["kind"]) == ("v1", "ConfigMap")
    created["data"]["x"] = "2"
    replaced = await api.replace(CONFIG_MAPS, created)
    assert replaced["data"] == {"x": "2"}
    assert await api.get(CONFIG_MAPS, "a", namespace) == replaced
    assert await api.delete(CONFIG_MAPS, "a", namespace, uid=created["metadata"]["uid"]) is None
    with pytest.raises(errors.NotFound):
        await api.get(CONFIG_MAPS, "a", namespace)


async def test_a_deletion_that_takes_time_answers_the_object(api: client.Client, namespace: str) -> None:
    body = _config_map("a") | {"metadata": {"name": "a", "finalizers": ["test.example/hold"]}}
    await api.create(CONFIG_MAPS, body, namespace)
    left = await api.delete(CONFIG_MAPS, "a", namespace)
    assert left is not None
    assert left["metadata"]["deletionTimestamp"]
    await api.patch(CONFIG_MAPS, "a", {"metadata": {"finalizers": None}}, namespace)
    with pytest.raises(errors.NotFound):
        await api.get(CONFIG_MAPS, "a", namespace)


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        (requests.PatchType.MERGE, {"data": {"x": None, "y": "2"}}),
        (requests.PatchType.STRATEGIC, {"data": {"x": None, "y": "2"}}),
        (
            requests.PatchType.JSON,
            [{"op": "remove", "path": "/data/x"}, {"op": "add", "path": "/data/y", "value": "2"}],
        ),
    ],
)
async def test_patches(api: client.Client, namespace: str, kind: requests.PatchType, patch: Any) -> None:
    await api.create(CONFIG_MAPS, _config_map("a", x="1"), namespace)
    assert (await api.patch(CONFIG_MAPS, "a", patch, namespace, patch_type=kind))["data"] == {"y": "2"}


async def test_server_side_apply_owns_fields(api: client.Client, namespace: str) -> None:
    async def apply(manager: str, value: str, *, force: bool = False) -> Obj:
        body = {"apiVersion": "v1", "kind": "ConfigMap", **_config_map("a", x=value)}
        return await api.patch(
            CONFIG_MAPS,
            "a",
            body,
            namespace,
            patch_type=requests.PatchType.APPLY,
            field_manager=manager,
            force=force,
        )

    await apply("one", "1")
    with pytest.raises(errors.Conflict) as caught:
        await apply("two", "2")
    assert "one" in caught.value.causes[0]["message"]
    assert (await apply("two", "2", force=True))["data"] == {"x": "2"}


async def test_status_is_a_subresource(api: client.Client, namespace: str) -> None:
    created = await api.create(PODS, _pod("web"), namespace)
    patched = await api.patch(PODS, "web", {"status": {"phase": "Running"}}, namespace, subresource="status")
    assert patched["status"]["phase"] == "Running"
    assert patched["spec"] == created["spec"]
    assert (await api.get(PODS, "web", namespace, subresource="status"))["status"]["phase"] == "Running"


async def test_dry_run_leaves_nothing(api: client.Client, namespace: str) -> None:
    assert (await api.create(CONFIG_MAPS, _config_map("a"), namespace, dry_run=True))["metadata"]["uid"]
    assert [found for found in await api.list(CONFIG_MAPS, namespace) if found["metadata"]["name"] == "a"] == []


async def test_delete_collection(api: client.Client, namespace: str) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        await api.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": {"l": label}}}, namespace)
    await api.send(requests.delete_collection(CONFIG_MAPS, namespace, label_selector="l=x"))
    assert [found["metadata"]["name"] for found in await api.list(CONFIG_MAPS, namespace, label_selector="l")] == ["c"]


async def test_field_selectors(api: client.Client, namespace: str) -> None:
    await api.create(CONFIG_MAPS, _config_map("a"), namespace)
    await api.create(CONFIG_MAPS, _config_map("b"), namespace)
    found = await api.list(CONFIG_MAPS, namespace, field_selector="metadata.name=b")
    assert [(one["kind"], one["metadata"]["name"]) for one in found] == [("ConfigMap", "b")]


class TestRefusals:
    async def test_404(self, api: client.Client, namespace: str) -> None:
        with pytest.raises(errors.NotFound) as caught:
            await api.get(SECRETS, "none", namespace)
        assert caught.value.details == {"name": "none", "kind": "secrets"}

    async def test_404_of_a_resource(self, api: client.Client, namespace: str) -> None:
        with pytest.raises(errors.NotFound):
            await api.list(Resource("none.example", "v1", "things", "Thing"), namespace)

    async def test_409_taken(self, api: client.Client, namespace: str) -> None:
        await api.create(CONFIG_MAPS, _config_map("a"), namespace)
        with pytest.raises(errors.AlreadyExists):
            await api.create(CONFIG_MAPS, _config_map("a"), namespace)

    async def test_409_stale(self, api: client.Client, namespace: str) -> None:
        old = await api.create(CONFIG_MAPS, _config_map("a"), namespace)
        await api.replace(CONFIG_MAPS, old | {"data": {"x": "1"}})
        with pytest.raises(errors.Conflict):
            await api.replace(CONFIG_MAPS, old | {"data": {"x": "2"}})
        stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "data": {"x": "3"}}
        with pytest.raises(errors.Conflict):
            await api.patch(CONFIG_MAPS, "a", stale, namespace)

    async def test_409_another_object(self, api: client.Client, namespace: str) -> None:
        created = await api.create(CONFIG_MAPS, _config_map("a"), namespace)
        with pytest.raises(errors.Conflict):
            await api.delete(CONFIG_MAPS, "a", namespace, uid="00000000-0000-0000-0000-000000000000")
        with pytest.raises(errors.Conflict):
            await api.delete(CONFIG_MAPS, "a", namespace, resource_version="1")
        assert await api.get(CONFIG_MAPS, "a", namespace) == created

    async def test_422(self, api: client.Client, namespace: str) -> None:
        with pytest.raises(errors.Invalid) as caught:
            await api.create(SERVICES, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 99999}]}}, namespace)
        assert caught.value.causes[0]["field"] == "spec.ports[0].port"

    async def test_400(self, api: client.Client, namespace: str) -> None:
        with pytest.raises(errors.BadRequest):
            await api.create(SERVICES, {"metadata": {"name": "s"}, "spec": "text"}, namespace)

    async def test_405(self, api: client.Client) -> None:
        with pytest.raises(errors.MethodNotAllowed):
            await api.list(_REVIEWS)

    async def test_413(self, api: client.Client, namespace: str) -> None:
        with pytest.raises(errors.TooLarge):
            await api.create(CONFIG_MAPS, _config_map("a", x="y" * 4_000_000), namespace)

    async def test_415(self, api: client.Client) -> None:
        definitions = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "X", namespaced=False)
        with pytest.raises((errors.Unsupported, errors.NotFound)):
            await api.patch(definitions, "none", {}, patch_type=requests.PatchType.STRATEGIC)

    async def test_429_of_a_disruption_budget(self, api: client.Client, namespace: str) -> None:
        await api.create(PODS, _pod("web", app="web"), namespace)
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        await api.patch(PODS, "web", {"status": ready}, namespace, subresource="status")
        spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
        budget = await api.create(_BUDGETS, {"metadata": {"name": "web"}, "spec": spec}, namespace)
        numbers = {"disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}
        status = numbers | {"observedGeneration": budget["metadata"]["generation"]}
        await api.patch(_BUDGETS, "web", {"status": status}, namespace, subresource="status")
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web", "namespace": namespace}}
        with pytest.raises(errors.TooManyRequests, match="disruption budget"):
            await api.create(PODS, eviction, namespace, name="web", subresource="eviction")

    async def test_403(self, cluster: envtest.Cluster, namespace: str) -> None:
        certificate, key = cluster.issue("nobody")
        config = dataclasses.replace(kubeconfig.load([cluster.kubeconfig]), cert_data=certificate, key_data=key)
        async with client.Client(config) as nobody:
            with pytest.raises(errors.Forbidden, match='User "nobody" cannot get resource "pods"'):
                await nobody.get(PODS, "web", namespace)

    async def test_401(self, cluster: envtest.Cluster) -> None:
        config = kubeconfig.ClientConfig(server=cluster.url, ca_data=cluster.ca_pem, token="wrong")
        async with client.Client(config) as stranger:
            with pytest.raises(errors.Unauthorized):
                await stranger.list(NAMESPACES)


async def test_impersonation(cluster: envtest.Cluster, namespace: str) -> None:
    config = dataclasses.replace(kubeconfig.load([cluster.kubeconfig]), impersonate=(("Impersonate-User", "jane"),))
    async with client.Client(config) as jane:
        with pytest.raises(errors.Forbidden, match='User "jane"'):
            await jane.list(PODS, namespace)


async def test_a_service_account_token_in_a_file(
    api: client.Client, cluster: envtest.Cluster, namespace: str, tmp_path: Path
) -> None:
    await api.create(SERVICE_ACCOUNTS, {"metadata": {"name": "bot"}}, namespace)
    subject = {"kind": "ServiceAccount", "name": "bot", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:aggregate-to-view"}
    await api.create(CLUSTER_ROLE_BINDINGS, {"metadata": {"name": namespace}, "roleRef": role, "subjects": [subject]})
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    answer = await api.create(SERVICE_ACCOUNTS, body, namespace, name="bot", subresource="token")
    (tmp_path / "token").write_text(answer["status"]["token"])
    (tmp_path / "ca.crt").write_bytes(cluster.ca_pem)
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cluster.port)}
    async with client.Client(kubeconfig.in_cluster(tmp_path, environ)) as bot:
        await bot.list(CONFIG_MAPS, namespace)
        with pytest.raises(errors.Forbidden):
            await bot.list(SECRETS, namespace)


async def test_an_exec_plugin_with_a_certificate(cluster: envtest.Cluster, tmp_path: Path) -> None:
    script = tmp_path / "plugin"
    script.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, pathlib\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        f"folder = pathlib.Path({str(cluster.folder)!r})\n"
        "status = {'clientCertificateData': (folder / 'admin.crt').read_text(),\n"
        "          'clientKeyData': (folder / 'admin.key').read_text()}\n"
        "print(json.dumps({'apiVersion': info['apiVersion'], 'kind': info['kind'], 'status': status}))\n"
    )
    script.chmod(0o700)
    plugin = kubeconfig.ExecPlugin(command=str(script), interactive_mode="Never")
    config = kubeconfig.ClientConfig(server=cluster.url, ca_file=cluster.ca_file, exec_plugin=plugin)
    async with client.Client(config) as api:
        assert await api.list(NAMESPACES)


async def test_a_list_of_1200_comes_in_pages(api: client.Client, namespace: str) -> None:
    names = {f"many-{number}" for number in range(1_200)}
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(api.create(CONFIG_MAPS, _config_map(name), namespace))
    query = paging.Query(CONFIG_MAPS, namespace)
    async with contextlib.aclosing(paging.pages(api, query)) as pages:
        sizes = [(len(page.items), page.resource_version) async for page in pages]
    assert [size for size, _ in sizes] == [500, 500, 200]
    assert len({version for _, version in sizes}) == 1
    assert {found["metadata"]["name"] for found in await api.list(CONFIG_MAPS, namespace)} == names


async def test_discovery(api: client.Client) -> None:
    found = await discovery.resources(api)
    assert {PODS, SERVICES, NODES, ENDPOINTS, _DEPLOYMENTS} <= set(found)
    assert _REVIEWS not in found
    assert await discovery.find(api, "Deployment") == _DEPLOYMENTS


async def test_discovery_of_an_older_server_finds_the_same(api: client.Client) -> None:
    class Older:
        async def send(self, request: requests.Request) -> bytes:
            return await api.send(requests.raw(request.path))

    assert set(await discovery.resources(Older())) == set(await discovery.resources(api))


async def test_version(api: client.Client) -> None:
    assert (await api.version())["major"] == "1"
    assert await api.raw("/readyz") == b"ok"
