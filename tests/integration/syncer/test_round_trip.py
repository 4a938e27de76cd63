"""Properties on two real API servers: what a tenant writes survives the way to the host and back, a second look writes
nothing, and no two virtual objects ever have one host object between them.

The syncer runs in the test; nothing schedules, binds or runs here. Examples are the same in every run.
"""

from __future__ import annotations

import asyncio
import base64
import collections
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import hypothesis
import prometheus_client
import pytest
from hypothesis import strategies as st

from nestling import resources
from nestling.config import load
from nestling.kube import client, errors, kubeconfig
from nestling.kube.resource import (
    CONFIG_MAPS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import annotations as naming_annotations
from nestling.naming import labels, names
from nestling.naming.tenant import Tenant, VirtualKey
from nestling.syncer import manager, metrics
from nestling.syncer.spec import SyncSpec
from tests.support import chaos, envtest
from tests.unit.naming import strategies

FIRST: Final = Tenant("my-vc", "team-x")
#: Its objects have names that those of the first could have, too; it syncs the same virtual objects.
SECOND: Final = Tenant("c-x-my-vc", "team-y")
KINDS: Final = (CONFIG_MAPS, SECRETS, SERVICES, PERSISTENT_VOLUME_CLAIMS, PODS)
SPACES: Final = ("default", "b-x-c", "c")
#: Where the virtual cluster has objects of its own, too.
SEEN: Final = (*SPACES, "kube-system")
CONFIG: Final = "sync: {toHost: {configMaps: {all: true}, secrets: {all: true}}}"
PATIENCE: Final = 60.0
Key = tuple[str, str, str]
Versions = dict[tuple[str, Key], str]

#: An object of another syncer is left alone: that is another test's business.
META = st.fixed_dictionaries(
    {},
    optional={
        "labels": strategies.label_maps.map(lambda found: _without(found, labels.CONTROLLED_BY)),
        "annotations": strategies.annotation_maps.map(lambda found: _without(found, labels.CONTROLLED_BY)),
    },
)
NAME = st.one_of(strategies.object_names, st.sampled_from(["a", "a-x-b", "a-x-default"]))
DATA = st.dictionaries(st.sampled_from(["a", "b.txt", "C_d"]), st.text(max_size=8), max_size=3)
PORTS = st.sampled_from(
    [
        [{"name": "http", "port": 80, "targetPort": 8080}],
        [{"name": "a", "port": 1}, {"name": "b", "port": 2, "protocol": "UDP", "targetPort": "named"}],
    ]
)
SERVICE = st.fixed_dictionaries(
    {"ports": PORTS, "type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"])},
    optional={
        "selector": strategies.label_maps.filter(bool),
        "sessionAffinity": st.just("ClientIP"),
        "publishNotReadyAddresses": st.booleans(),
    },
)
POD = st.fixed_dictionaries(
    {
        "containers": st.just([{"name": "app", "image": "nginx", "command": ["run"], "resources": {}}]),
        "restartPolicy": st.sampled_from(["Always", "Never"]),
        "terminationGracePeriodSeconds": st.sampled_from([0, 7]),
    },
    optional={
        "nodeSelector": st.just({"disk": "ssd"}),
        "tolerations": st.just([{"key": "k", "operator": "Exists"}]),
        "volumes": st.just([{"name": "v", "configMap": {"name": "a", "optional": True}}]),
    },
)
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"}


@dataclasses.dataclass(frozen=True)
class Written:
    """What a tenant creates."""

    resource: Resource
    namespace: str
    name: str
    meta: dict[str, Any]
    body: Obj

    @property
    def key(self) -> VirtualKey:
        return VirtualKey(self.namespace, self.name)


def _without(found: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in found.items() if name != key}


def encoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


def written(resource: Resource, body: st.SearchStrategy[Obj], name: st.SearchStrategy[str] = NAME) -> Any:
    return st.builds(Written, st.just(resource), st.sampled_from(SPACES), name, META, body)


OBJECTS = st.lists(
    st.one_of(
        written(CONFIG_MAPS, st.fixed_dictionaries({"data": DATA}, optional={"binaryData": st.just({"z": "AQI="})})),
        written(SECRETS, st.fixed_dictionaries({"data": DATA.map(encoded), "type": st.just("example.com/t")})),
        written(SERVICES, SERVICE.map(lambda spec: {"spec": spec}), st.sampled_from(["a", "a-x-b", "s" * 63, "web-1"])),
        written(PERSISTENT_VOLUME_CLAIMS, st.just({"spec": CLAIM})),
        written(PODS, POD.map(lambda spec: {"spec": {**spec, "serviceAccountName": "default"}})),
    ),
    min_size=3,
    max_size=12,
    unique_by=lambda one: (one.resource, one.key),
)


class Clusters:
    """How to reach both API servers. No dataclass: a failing example would be printed with the keys."""

    def __init__(self, virtual: kubeconfig.ClientConfig, host: kubeconfig.ClientConfig) -> None:
        self.virtual, self.host = virtual, host


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    with contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(envtest.running(tmp_path_factory.mktemp(name), apiserver_args=chaos.ARGUMENTS))
            for name in ("virtual", "host")
        ]
        found = Clusters(*(kubeconfig.load([side.kubeconfig]) for side in sides))
        asyncio.run(furnish(found))
        yield found


async def furnish(clusters: Clusters) -> None:
    """What two control planes have before their syncers start."""
    async with client.Client(clusters.virtual) as virtual, client.Client(clusters.host) as host:
        for name in {*SPACES} - {"default"}:
            await virtual.create(NAMESPACES, {"metadata": {"name": name}})
        await virtual.create(
            SERVICES, {"metadata": {"name": "kube-dns"}, "spec": {"ports": [{"port": 53}]}}, "kube-system"
        )
        for tenant in (FIRST, SECOND):
            await host.create(NAMESPACES, {"metadata": {"name": tenant.namespace}})
            front = {"metadata": {"name": tenant.name}, "spec": {"ports": [{"port": 443}]}}
            await host.create(SERVICES, front, tenant.namespace)


#: Two pairs that have one host name in the first virtual cluster, and one whose names meet those of the second.
SAME_NAMES: Final = [
    Written(resource, namespace, name, {}, body)
    for resource, body in ((CONFIG_MAPS, {"data": {"a": "b"}}), (SECRETS, {"data": {"a": "Yg=="}, "type": "Opaque"}))
    for namespace, name in (("c", "a-x-b"), ("b-x-c", "a"), ("c", "a-x-default"), ("default", "a"))
]


@dataclasses.dataclass(frozen=True)
class Game:
    """One example: both sides, the syncers, and what was written."""

    virtual: client.Client
    host: client.Client
    syncers: tuple[manager.Manager, ...]

    async def settle(self) -> Versions:
        """Nothing is left to do: what comes later has arrived, and two looks see the same."""
        before: Versions = {}
        deadline = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < deadline, f"never settles: {before}"
            await self._fence()
            now = await self.versions()
            if now == before and self.is_idle:
                return now
            before = now

    @property
    def is_idle(self) -> bool:
        return not any(len(one.queue) or one.queue.working for syncer in self.syncers for one in syncer.controllers)

    async def again(self) -> Versions:
        """Every object of every kind is looked at once more."""
        for syncer in self.syncers:
            for one in syncer.controllers:
                for key in list(syncer.context.virtual.stores[one.spec.virtual].keys()):
                    one.enqueue(VirtualKey(*key))
        return await self.settle()

    async def objects(self, api: client.Client, *spaces: str) -> dict[tuple[str, Key], Obj]:
        found = {}
        for resource in KINDS:
            for space in spaces:
                for one in await api.list(resource, space):
                    meta = one["metadata"]
                    if not meta["name"].startswith("fence"):
                        found[resource.plural, (space, meta["name"], meta["uid"])] = one
        return found

    async def on_host(self) -> dict[tuple[str, Key], Obj]:
        return await self.objects(self.host, FIRST.namespace, SECOND.namespace)

    async def versions(self) -> Versions:
        both = {**await self.objects(self.virtual, *SEEN), **await self.on_host()}
        return {key: one["metadata"]["resourceVersion"] for key, one in both.items()}

    async def _fence(self) -> None:
        """A ConfigMap goes all the way down in each virtual cluster and comes to its end."""
        await self.virtual.create(CONFIG_MAPS, {"metadata": {"name": "fence"}}, "default")
        for tenant in (FIRST, SECOND):
            await until(lambda tenant=tenant: self._has_fence(tenant), "the fence")  # type: ignore[misc]  # a lambda with a default
        await self.virtual.delete(CONFIG_MAPS, "fence", "default")
        for tenant in (FIRST, SECOND):
            await until(lambda tenant=tenant: self._has_no_fence(tenant), "the end of the fence")  # type: ignore[misc]  # the same

    async def _has_fence(self, tenant: Tenant) -> bool:
        name = names.host_name(VirtualKey("default", "fence"), tenant).name
        try:
            await self.host.get(CONFIG_MAPS, name, tenant.namespace)
        except errors.NotFound:
            return False
        return True

    async def _has_no_fence(self, tenant: Tenant) -> bool:
        return not await self._has_fence(tenant)


async def until(look: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await look():
        assert time.monotonic() < deadline, f"no {what}"
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def syncing(clusters: Clusters) -> AsyncIterator[Game]:
    """Both virtual clusters have a syncer that has just been started; the second knows two kinds only."""
    async with client.Client(clusters.virtual) as virtual, client.Client(clusters.host) as host:
        every = resources.specs()
        simple = tuple(one for one in every if one.name in ("configmaps", "secrets"))
        syncers = (_manager(FIRST, every, virtual, host), _manager(SECOND, simple, virtual, host))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.run()) for one in syncers]
            for one in syncers:
                await one.synced()
            yield Game(virtual, host, syncers)
            for task in tasks:
                task.cancel()


def _manager(
    tenant: Tenant, specs: tuple[SyncSpec, ...], virtual: client.Client, host: client.Client
) -> manager.Manager:
    return manager.Manager(
        manager.Parts(
            tenant=tenant,
            config=load.load([load.Source("values.yaml", CONFIG)]),
            specs=specs,
            virtual=virtual,
            host=host,
            virtual_version="v1.36.3",
            host_version="v1.36.3",
            instruments=metrics.create(prometheus_client.CollectorRegistry()),
        )
    )


def holder(host: Obj) -> tuple[VirtualKey, str]:
    """Whose a host object says it is."""
    notes = host["metadata"]["annotations"]
    return VirtualKey(notes[labels.OBJECT_NAMESPACE], notes[labels.OBJECT_NAME]), notes[labels.OBJECT_UID]


def nobody_shares(virtual: dict[tuple[str, Key], Obj], host: dict[tuple[str, Key], Obj]) -> None:
    """Each host object is one virtual object's in one virtual cluster, and nobody has two."""
    uids = {uid for _, (_, _, uid) in virtual}
    claims: collections.Counter[tuple[str, str, str]] = collections.Counter()
    for (plural, (space, name, _)), one in host.items():
        if labels.MANAGED_BY not in (one["metadata"].get("labels") or {}) or name in (FIRST.name, SECOND.name):
            continue
        key, uid = holder(one)
        tenant = FIRST if space == FIRST.namespace else SECOND
        assert uid in uids, f"{name} is nobody's"
        assert names.host_name(key, tenant).name == name
        claims[plural, uid, space] += 1
    assert set(claims.values()) <= {1}


def survives(sent: Written, virtual: Obj, host: Obj) -> None:
    """What the spec says is kept, is kept; the tenant's own object is as it was written."""
    seen = host["metadata"]
    expected = {key: value for key, value in (sent.meta.get("labels") or {}).items() if not labels._is_made(key, FIRST)}
    assert labels.to_virtual(seen["labels"], FIRST) == expected
    notes = naming_annotations.to_virtual(seen["annotations"])
    for key, value in naming_annotations.to_virtual(sent.meta.get("annotations")).items():
        assert notes[key] == value
    assert seen["labels"][labels.NAMESPACE] == sent.namespace
    for field in ("labels", "annotations"):
        mine = virtual["metadata"].get(field) or {}
        assert {key: mine.get(key) for key in sent.meta.get(field) or {}} == (sent.meta.get(field) or {})
    KEPT[sent.resource](sent, virtual, host)


def data_is_kept(sent: Written, virtual: Obj, host: Obj) -> None:
    for field in ("data", "binaryData", "type"):
        assert (virtual.get(field) or {}) == (host.get(field) or {}) == (sent.body.get(field) or {})


def service_is_kept(sent: Written, virtual: Obj, host: Obj) -> None:
    mine, theirs, asked = virtual["spec"], host["spec"], sent.body["spec"]
    for field in ("type", "ports", "clusterIP", "sessionAffinity", "publishNotReadyAddresses"):
        assert mine.get(field) == theirs.get(field), field
    assert mine["type"] == asked["type"]
    assert [port["port"] for port in mine["ports"]] == [port["port"] for port in asked["ports"]]
    assert (mine.get("selector") or {}) == (asked.get("selector") or {})
    wanted = {labels.label_key_to_host(key, FIRST): value for key, value in (asked.get("selector") or {}).items()}
    marks = labels.marks(sent.namespace, FIRST) if wanted else {}
    assert (theirs.get("selector") or {}) == {**wanted, **marks}


def claim_is_kept(sent: Written, virtual: Obj, host: Obj) -> None:
    for field in sent.body["spec"]:
        assert virtual["spec"][field] == host["spec"][field] == sent.body["spec"][field]


def pod_is_kept(sent: Written, virtual: Obj, host: Obj) -> None:
    mine, theirs = virtual["spec"], host["spec"]
    for field in ("restartPolicy", "terminationGracePeriodSeconds", "nodeSelector", "tolerations", "securityContext"):
        assert mine.get(field) == theirs.get(field), field
    for inside, outside in zip(mine["containers"], theirs["containers"], strict=True):
        assert {**outside, "env": None} == {**inside, "env": None}
    named = [volume["configMap"]["name"] for volume in theirs.get("volumes") or ()]
    assert named == [names.host_name(VirtualKey(sent.namespace, "a"), FIRST).name for _ in mine.get("volumes") or ()]


KEPT: Final[dict[Resource, Callable[[Written, Obj, Obj], None]]] = {
    CONFIG_MAPS: data_is_kept,
    SECRETS: data_is_kept,
    SERVICES: service_is_kept,
    PERSISTENT_VOLUME_CLAIMS: claim_is_kept,
    PODS: pod_is_kept,
}


async def wipe(clusters: Clusters) -> None:
    """A failing example leaves its objects behind."""
    async with client.Client(clusters.virtual) as virtual, client.Client(clusters.host) as host:
        for api, spaces in ((virtual, SPACES), (host, (FIRST.namespace, SECOND.namespace))):
            for resource in KINDS:
                for space in spaces:
                    for one in await api.list(resource, space):
                        name = one["metadata"]["name"]
                        if name not in ("kubernetes", FIRST.name, SECOND.name):
                            await api.delete(resource, name, space, grace_period_seconds=0)


async def play(clusters: Clusters, objects: list[Written]) -> None:
    await wipe(clusters)
    async with syncing(clusters) as game:
        for one in objects:
            meta = {"name": one.name, "namespace": one.namespace, **one.meta}
            await game.virtual.create(one.resource, {**one.body, "metadata": meta}, one.namespace)
        versions = await game.settle()
        virtual, host = await game.objects(game.virtual, *SEEN), await game.on_host()
        nobody_shares(virtual, host)
        check_each(objects, virtual, host)
        assert await game.again() == versions, "a second look wrote something"
    async with syncing(clusters) as game:
        assert await game.settle() == versions, "a restart wrote something"
        for one in objects:
            await game.virtual.delete(one.resource, one.name, one.namespace, grace_period_seconds=0)
        await game.settle()
        left = [
            one for one in (await game.on_host()).values() if labels.MANAGED_BY in one["metadata"].get("labels", {})
        ]
        assert [one["metadata"]["name"] for one in left if holder(one)[0].namespace in SPACES] == []


def check_each(objects: list[Written], virtual: dict[tuple[str, Key], Obj], host: dict[tuple[str, Key], Obj]) -> None:
    """Each object has its host object, unless another one of that host name was there before."""
    mine = {(plural, space, name): one for (plural, (space, name, _)), one in virtual.items()}
    theirs = {(plural, name): one for (plural, (space, name, _)), one in host.items() if space == FIRST.namespace}
    taken: dict[tuple[str, str], VirtualKey] = {}
    for sent in objects:
        place = (sent.resource.plural, names.host_name(sent.key, FIRST).name)
        found = theirs[place]
        if holder(found)[0] == sent.key:
            taken[place] = sent.key
            survives(sent, mine[sent.resource.plural, sent.namespace, sent.name], found)
    for sent in objects:
        place = (sent.resource.plural, names.host_name(sent.key, FIRST).name)
        assert place in taken, f"{place} is nobody's"


@pytest.mark.integration
@pytest.mark.timeout(400)
@hypothesis.settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(objects=OBJECTS)
@hypothesis.example(objects=SAME_NAMES)
def test_what_tenants_write_survives_the_way_to_the_host_and_back_and_a_second_look_writes_nothing(
    clusters: Clusters, objects: list[Written]
) -> None:
    asyncio.run(play(clusters, objects))
