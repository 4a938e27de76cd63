"""A real API server accepts the host pods that the translation makes, and what is written to them afterwards.

One API server plays both sides: a pod is created in namespace ``default`` as a tenant's, so that it has all defaults,
translated, and created in namespace ``team-x`` as the host's.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from nestling.kube import client, errors, kubeconfig, requests
from nestling.kube.resource import NAMESPACES, PODS, SECRETS, SERVICE_ACCOUNTS, Obj, Resource
from nestling.resources.pods import metadata, status, tokens, translate, update
from tests.support import envtest, skew
from tests.unit.resources.pods import builders as b

pytestmark = pytest.mark.integration
PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
CTX = b.pod_context(
    owner_uid="11111111-2222-3333-4444-555555555555",
    resize=True,
    host_path_mapper=True,
    namespace_labels={"kubernetes.io/metadata.name": "default"},
    services=(b.service("redis", "10.96.1.1", {"port": 6379}),),
)
TERM = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web", "release": "x"}}}
SHAPES: dict[str, Obj] = {
    "plain": b.pod(),
    "subdomain": b.pod("web-0", subdomain="nginx", initContainers=[b.container("init")]),
    "long-names": b.pod("a" * 62 + "." + "b" * 100, subdomain="sub", imagePullSecrets=[{"name": "q" * 200}]),
    "dns": b.pod("dns", dnsConfig={"options": [{"name": "edns0"}], "searches": ["x.y"]}),
    "host-network": b.pod("net", hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet", subdomain="x"),
    "priority": b.pod("prio", priorityClassName="never"),
    "claims": b.pod("claims", resourceClaims=[{"name": "gpu", "resourceClaimName": "c"}]),
    "affinity": b.pod(
        "affinity",
        meta={"labels": {"app": "web", "release": "x", "pod-template-hash": "h"}},
        affinity={
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        **TERM,
                        "matchLabelKeys": ["pod-template-hash"],
                        "namespaceSelector": {"matchLabels": {"team": "a"}},
                    }
                ],
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {**TERM, "namespaces": ["a", "b"], "mismatchLabelKeys": ["tenant"]},
                    }
                ],
            }
        },
        topologySpreadConstraints=[
            {**TERM, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["pod-template-hash"]}
        ],
    ),
    "volumes": b.pod(
        "volumes",
        volumes=[
            b.volume("configMap", {"name": "c"}, "a"),
            b.volume("secret", {"secretName": "s"}, "b"),
            b.volume("persistentVolumeClaim", {"claimName": "p"}, "c"),
            b.volume(
                "ephemeral",
                {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                    }
                },
                "d",
            ),
            b.volume("hostPath", {"path": "/var/log"}, "e"),
            b.volume("csi", {"driver": "d", "nodePublishSecretRef": {"name": "n"}}, "f"),
            b.volume("glusterfs", {"endpoints": "g", "path": "p"}, "g"),
            b.volume("azureFile", {"secretName": "az", "shareName": "s"}, "h"),
            b.volume("rbd", {"monitors": ["m"], "image": "i", "secretRef": {"name": "r"}}, "i"),
            b.volume("storageos", {"volumeName": "v", "secretRef": {"name": "q"}}, "k"),
            b.projected(b.token_source("t"), b.token_source("vault/t", audience="vault"), {"secret": {"name": "s"}}),
        ],
        containers=[b.container(volumeMounts=[{"name": "e", "mountPath": "/logs"}])],
    ),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    with envtest.running(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
async def api(cluster: envtest.Cluster) -> AsyncIterator[client.Client]:
    async with client.Client(kubeconfig.load([cluster.kubeconfig])) as connected:
        with contextlib.suppress(errors.AlreadyExists):
            await connected.create(NAMESPACES, {"metadata": {"name": "team-x"}})
            await connected.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, "default")
            body = {"metadata": {"name": "never"}, "value": 5, "preemptionPolicy": "Never"}
            await connected.create(PRIORITY_CLASSES, body)
        yield connected


async def both(api: client.Client, virtual: Obj, **changes: Any) -> tuple[Obj, Obj]:
    """The virtual pod and its host pod, as the API server stored them."""
    meta = {key: value for key, value in virtual["metadata"].items() if key not in ("uid", "resourceVersion")}
    stored = await api.create(PODS, {**virtual, "metadata": {**meta, **changes}}, "default")
    return stored, await api.create(PODS, translate.translate(CTX, stored), "team-x")


@pytest.mark.parametrize("shape", list(SHAPES))
async def test_host_pod_is_accepted_and_needs_no_update(api: client.Client, shape: str) -> None:
    virtual, host = await both(api, SHAPES[shape])
    assert update.host_spec(CTX, virtual, host) == host["spec"]
    assert update.resize_patch(virtual, host) is None
    assert update.ephemeral_containers(CTX, virtual, host) is None
    assert metadata.overlay(CTX, virtual, host["metadata"], host) == host["metadata"]


async def test_status_written_once_is_the_same_again(api: client.Client) -> None:
    virtual, host = await both(api, b.pod("status", readinessGates=[{"conditionType": "x/ready"}]))
    virtual["status"] = status.virtual_status(CTX, virtual, host)
    stored = await api.replace(PODS, virtual, subresource="status")
    assert status.virtual_status(CTX, stored, host) == stored["status"]


async def test_ephemeral_containers_can_be_added_twice(api: client.Client) -> None:
    virtual, host = await both(api, b.pod("debug", subdomain="nginx"))
    for name in ("one", "two"):
        added = {"spec": {"ephemeralContainers": [{"name": name, "image": "busybox"}]}}
        virtual = await _patch(api, virtual, added, "ephemeralcontainers")
        wanted = update.ephemeral_containers(CTX, virtual, host)
        host = await _patch(api, host, {"spec": {"ephemeralContainers": wanted}}, "ephemeralcontainers")
        assert update.ephemeral_containers(CTX, virtual, host) is None
    assert [one["name"] for one in host["spec"]["ephemeralContainers"]] == ["one", "two"]


async def test_resize_reaches_the_host(api: client.Client) -> None:
    if not await skew.resizes(api):
        pytest.skip("this API server resizes no pods")
    sized = b.container(resources={"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}})
    before, host = await both(api, b.pod("sized", containers=[sized]))
    more = {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "200m"}}}]}}
    after = await _patch(api, before, more, "resize")
    patch = update.resize_patch(after, host, before)
    assert patch is not None
    host = await _patch(api, host, patch, "resize")
    assert host["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "200m"}, "limits": {"cpu": "1"}}
    assert update.resize_patch(after, host, before) is None


async def test_gates_deadline_and_tolerations_reach_the_host(api: client.Client) -> None:
    before, host = await both(api, b.pod("gated", schedulingGates=[{"name": "a/b"}], activeDeadlineSeconds=50))
    changed = {**before["spec"], "activeDeadlineSeconds": 40}
    changed.pop("schedulingGates")
    changed["tolerations"] = [*changed.get("tolerations", ()), {"key": "new", "operator": "Exists"}]
    after = await api.replace(PODS, {**before, "spec": changed})
    host = await api.replace(PODS, {**host, "spec": update.host_spec(CTX, after, host, before)})
    assert "schedulingGates" not in host["spec"]
    assert host["spec"]["activeDeadlineSeconds"] == 40
    assert "new" in [one["key"] for one in host["spec"]["tolerations"]]


async def test_tokens_are_issued_as_asked_and_kept_in_a_secret(api: client.Client) -> None:
    sources = [
        b.token_source("a", expirationSeconds=3607),
        b.token_source("b", audience="vault", expirationSeconds=600),
    ]
    virtual, host = await both(api, b.pod("tokens", volumes=[b.projected(*sources)]))
    issued: dict[str, str] = {}
    now = datetime.datetime.now(datetime.UTC)
    for need in tokens.needs(CTX, virtual):
        body = tokens.token_request(need, virtual)
        answer = await api.create(SERVICE_ACCOUNTS, body, "default", name=need.service_account, subresource="token")
        issued[need.key] = answer["status"]["token"]
        claims = tokens.read_claims(issued[need.key])
        assert claims is not None
        assert (claims.expires - claims.issued).total_seconds() == need.expiration_seconds
        assert not tokens.due(need, virtual, issued[need.key], now=now)
        assert tokens.due(need, virtual, issued[need.key], now=now + datetime.timedelta(hours=1))
    secret = await api.create(SECRETS, tokens.token_secret(CTX, virtual, issued, tokens.pod_owner(host)), "team-x")
    assert tokens.stored(secret) == issued
    assert len(issued) == 2


async def _patch(api: client.Client, pod: Obj, body: Obj, subresource: str) -> Obj:
    meta = pod["metadata"]
    return await api.patch(
        PODS,
        meta["name"],
        body,
        meta["namespace"],
        patch_type=requests.PatchType.STRATEGIC,
        subresource=subresource,
    )
