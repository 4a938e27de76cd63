"""The duties for names inside the virtual cluster: what they apply, replace and remove (spec §3.1)."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, cast

import pytest

from nestling.config import load, model
from nestling.controlplane import corefile, dns, dns_objects, embedded_dns, host_dns, loops, settings
from nestling.kube import client as client_module
from nestling.kube import errors, requests
from nestling.kube.resource import ENDPOINT_SLICES, PODS, SERVICES, Obj, Resource
from tests.unit.controlplane import samples

EMBEDDED = "controlPlane.coredns.embedded=true"
JOBS = {"resource": "jobs", "responseKind": {"kind": "Job"}, "scope": "Namespaced", "verbs": ["list"]}
SERVED = {"items": [{"metadata": {"name": "batch"}, "versions": [{"version": "v1", "resources": [JOBS]}]}]}


def config(*sets: str) -> model.VClusterConfig:
    return load.load([], list(sets), refuse_unsupported=False)


class Api:
    """What is there, what was applied and by whom, and what was deleted."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Obj] = {}
        self.applied: list[tuple[str, str, str]] = []
        self.deleted: list[tuple[str, str | None]] = []

    @property
    def client(self) -> client_module.Client:
        return cast("client_module.Client", self)

    def put(self, resource: Resource, name: str, **body: Any) -> None:
        self.objects[resource.kind, name] = {"metadata": {"name": name, "uid": f"uid-{name}"}, **body}

    async def version(self) -> dict[str, str]:
        return {"gitVersion": "v1.36.3"}

    async def send(self, request: requests.Request) -> bytes:
        found = SERVED if request.path == "/apis" else {}
        return json.dumps({"kind": "APIGroupDiscoveryList", **found}).encode()

    async def get(self, resource: Resource, name: str, _namespace: str | None = None) -> Obj:
        if (resource.kind, name) not in self.objects:
            raise errors.NotFound(status=404, reason="NotFound", message="no")
        return self.objects[resource.kind, name]

    async def list(self, resource: Resource, *_where: Any, **_options: Any) -> list[Obj]:
        return [obj for (kind, _), obj in self.objects.items() if kind == resource.kind]

    async def patch(self, resource: Resource, name: str, body: Obj, _namespace: object, **options: Any) -> None:
        old = self.objects.get((resource.kind, name))
        if resource.kind == "Deployment" and old and old["spec"]["selector"] != body["spec"]["selector"]:
            raise errors.Invalid(status=422, reason="Invalid", message="field is immutable")
        self.objects[resource.kind, name] = body
        self.applied.append((resource.kind, name, options["field_manager"]))

    async def delete(
        self, resource: Resource, name: str, *_where: Any, uid: str | None = None, **_options: Any
    ) -> None:
        self.deleted.append((resource.kind, uid))
        del self.objects[resource.kind, name]


@pytest.fixture
def api() -> Api:
    return Api()


async def applied(api: Api, *sets: str, syncer: settings.SyncerSettings = samples.SYNCER) -> list[str]:
    """The kinds that one run of the duty applies."""
    api.applied.clear()
    await dns.Dns(config(*sets), syncer, api.client).reconcile()
    return [kind for kind, _, _ in api.applied]


async def test_everything_is_applied(api: Api) -> None:
    assert await applied(api) == [
        *("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "Service", "Deployment"),
    ]


async def test_nothing_is_done_when_coredns_is_switched_off(api: Api) -> None:
    assert await applied(api, "controlPlane.coredns.enabled=false") == []


async def test_a_deployment_with_another_selector_is_made_anew(api: Api) -> None:
    api.put(dns_objects.DEPLOYMENTS, "coredns", spec={"selector": {"matchLabels": {"k8s-app": "kube-dns"}}})
    assert (await applied(api))[-1] == "Deployment"
    assert api.deleted == [("Deployment", "uid-coredns")]
    assert api.objects["Deployment", "coredns"]["spec"]["selector"] == {"matchLabels": dns_objects.SELECTOR}


async def test_a_deployment_is_not_deleted_because_a_value_of_the_user_is_invalid(api: Api) -> None:
    api.put(dns_objects.DEPLOYMENTS, "coredns", spec={"selector": {"matchLabels": dns_objects.SELECTOR}})

    async def refuse(resource: Resource, *_arguments: Any, **_options: Any) -> None:
        if resource.kind == "Deployment":
            raise errors.Invalid(status=422, reason="Invalid", message="tolerations are wrong")

    api.patch = refuse  # type: ignore[method-assign]  # this server refuses
    with pytest.raises(errors.Invalid, match="tolerations"):
        await applied(api)
    assert api.deleted == []


async def test_the_embedded_server_takes_over_when_the_pods_are_gone(api: Api) -> None:
    api.put(dns_objects.DEPLOYMENTS, "coredns", spec={})
    api.put(PODS, "coredns-1")
    with pytest.raises(loops.NotYetError, match="still there"):
        await applied(api, EMBEDDED)
    assert (api.deleted, api.applied) == ([("Deployment", "uid-coredns")], [])
    del api.objects["Pod", "coredns-1"]
    assert await applied(api, EMBEDDED) == ["Service", "Endpoints"]


async def test_manifests_of_the_user_replace_ours_whatever_their_kind(api: Api) -> None:
    text = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\n---\n"
    assert await applied(api, f"controlPlane.coredns.overwriteManifests={text}", EMBEDDED) == ["Job"]
    assert api.objects["Job", "x"]["metadata"]["namespace"] == "default"


async def test_a_manifest_of_an_unknown_kind_is_named(api: Api) -> None:
    text = "controlPlane.coredns.overwriteManifests=apiVersion: v1\nkind: Pond\nmetadata: {name: x}"
    with pytest.raises(loops.NotYetError, match="has a Pond of v1, which the virtual cluster does not know"):
        await applied(api, text)


async def test_unknown_names_go_to_the_host_when_the_configuration_says_so(api: Api) -> None:
    known = dataclasses.replace(samples.SYNCER, host_dns="10.96.0.10")
    await applied(api, "networking.advanced.fallbackHostCluster=true", syncer=known)
    assert "forward . 10.96.0.10\n" in api.objects["ConfigMap", "coredns"]["data"]["Corefile"]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("search a.svc\nnameserver 10.0.0.10\nnameserver 10.0.0.11\n", "10.0.0.10"),
        ("nameserver\n", corefile.RESOLVERS),
        (None, corefile.RESOLVERS),
    ],
    ids=["the first", "a broken line", "no file"],
)
async def test_in_a_pod_the_host_is_the_name_server_of_the_pod(tmp_path: Path, text: str | None, server: str) -> None:
    file = tmp_path / "resolv.conf"
    if text is not None:
        file.write_text(text)
    assert await host_dns.of_pod(file) == server


async def test_on_a_machine_the_host_says_where_its_name_server_is(api: Api) -> None:
    nothing = settings.HostDns(corefile.RESOLVERS, corefile.RESOLVERS)
    assert await host_dns.of_cluster(api.client) == nothing
    api.put(SERVICES, "kube-dns", spec={"clusterIP": "None"})
    api.put(ENDPOINT_SLICES, "kube-dns-x")
    assert await host_dns.of_cluster(api.client) == nothing
    ports = [{"port": 9153, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    api.put(SERVICES, "kube-dns", spec={"clusterIP": "10.96.0.10"})
    api.put(ENDPOINT_SLICES, "kube-dns-x", endpoints=[{"addresses": ["10.89.0.2"]}], ports=ports)
    assert await host_dns.of_cluster(api.client) == settings.HostDns("10.96.0.10", "10.89.0.2:53")


async def test_node_hosts_have_an_owner_of_their_own(api: Api) -> None:
    await dns.NodeHosts(config(), samples.SYNCER, api.client).reconcile()
    assert api.applied == [("ConfigMap", "coredns", "vcluster-node-hosts")]


async def test_the_embedded_server_finds_the_nodes_in_a_file(api: Api, tmp_path: Path) -> None:
    syncer = dataclasses.replace(samples.SYNCER, state_dir=tmp_path)
    api.objects["Node", "a"] = {
        "metadata": {"name": "a"},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]},
    }
    duty = dns.NodeHosts(config(EMBEDDED), syncer, api.client)
    await duty.reconcile()
    file = embedded_dns.node_hosts_file(syncer)
    assert file.read_text() == "10.0.0.1 a\n"
    before = file.stat().st_ino
    await duty.reconcile()
    assert file.stat().st_ino == before
