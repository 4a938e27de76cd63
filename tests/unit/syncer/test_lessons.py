"""What users of vCluster suffered from, replayed against a whole syncer in memory; numbers as in docs/lessons.md."""

from __future__ import annotations

import asyncio
import collections
import gc
import logging
import types
from collections.abc import Iterator

import pytest

from nestling.kube import errors, queue, requests
from nestling.kube.resource import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    INGRESSES,
    NETWORK_POLICIES,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Obj,
    Resource,
)
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import fields, status
from tests.support import fake_side, syncing

WEB = "web-x-default-x-my-vc"


class SlowHost(fake_side.FakeSide):
    """A host that never answers writes to one object."""

    def __init__(self, name: str) -> None:
        super().__init__("host")
        self.is_asked = asyncio.Event()
        self._name = name

    async def send(self, request: requests.Request) -> bytes:
        if request.method == "PATCH" and request.path.endswith(f"/{self._name}"):
            self.is_asked.set()
            await asyncio.Event().wait()
        return await super().send(request)


async def test_1_a_status_comes_up_while_another_object_of_the_kind_hangs() -> None:
    host = SlowHost("slow-x-default-x-my-vc")
    world = syncing.World(host=host)
    for name in ("slow", "web"):
        world.virtual.put(PODS, syncing.pod(name))
    await world.settle()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        running = group.create_task(world.controller_of("pods").run())
        world.virtual.change(PODS, "default", "slow", {"metadata": {"labels": {"a": "b"}}})
        await host.is_asked.wait()
        world.host.change(PODS, "team-x", WEB, {"status": {"phase": "Running"}})
        while (world.virtual.there(PODS, "default", "web").get("status") or {}).get("phase") != "Running":  # noqa: ASYNC110 - the fake side has no event to wait for
            await asyncio.sleep(0)
        running.cancel()


async def test_1_a_status_that_does_not_come_up_is_named_with_its_age() -> None:
    world = syncing.World()
    world.virtual.put(PODS, syncing.pod())
    await world.settle()
    before = lags_of_statuses(world)

    def refuse(request: requests.Request) -> errors.ApiError | None:
        return fake_side.error(500, "InternalError", "no") if request.path.endswith("/web/status") else None

    world.virtual.answers.append(refuse)
    world.host.change(PODS, "team-x", WEB, {"status": {"phase": "Running"}})
    await world.settle()
    since = status.stamp(world.clock)
    world.clock += 90
    await world.controller_of("pods")._process(VirtualKey("default", "web"))
    (stuck,) = status.document(world.manager, now=world.clock, clock=1.0)["kinds"]["pods"]["stuck"]["oldest"]
    assert (stuck["name"], stuck["since"]) == ("web", since)
    assert lags_of_statuses(world) == before
    world.virtual.answers.clear()
    await world.again()
    assert world.virtual.there(PODS, "default", "web")["status"]["phase"] == "Running"
    assert status.document(world.manager, now=world.clock, clock=1.0)["kinds"]["pods"]["stuck"]["count"] == 0
    assert lags_of_statuses(world) == before + 1


def lags_of_statuses(world: syncing.World) -> float:
    """How many changes of host pods have been measured on their way up."""
    about = {"kind": "pods", "direction": "to_virtual"}
    return world.registry.get_sample_value("nestling_sync_lag_seconds_count", about) or 0


def held(world: syncing.World) -> collections.Counter[str]:
    """How much everything that the syncer reaches holds, by the kind of container and of its elements.

    Found by following references, so that what somebody adds tomorrow counts, too.
    """
    found: collections.Counter[str] = collections.Counter()
    seen: set[int] = {id(one) for one in (world.virtual, world.host, world.config, world.registry, world.results)}
    waiting: list[object] = [world.manager]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (type, types.ModuleType, types.FunctionType, types.CodeType)):
            continue
        seen.add(id(one))
        if isinstance(one, (dict, list, set, collections.deque)) and len(one):
            found[f"{type(one).__name__} of {type(next(iter(one))).__name__}"] += len(one)
        waiting.extend(gc.get_referents(one))
    return found


async def test_10_what_came_and_went_leaves_nothing_in_memory() -> None:
    world = syncing.World()

    async def churn(round_: int) -> None:
        for number in range(20):
            name = f"n{round_}-{number}"
            world.virtual.put(SECRETS, syncing.obj(name, data={}))
            world.virtual.put(CONFIG_MAPS, syncing.obj(name, data={}))
            volumes = [{"name": "s", "secret": {"secretName": name}}, {"name": "c", "configMap": {"name": name}}]
            world.virtual.put(PODS, syncing.pod(name, volumes=volumes))
            world.virtual.put(SERVICES, syncing.service(name, clusterIP=f"10.96.{round_}.{number}"))
            world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim(name))
        await world.settle()
        for number in range(20):
            for resource in (PODS, SECRETS, CONFIG_MAPS, SERVICES, PERSISTENT_VOLUME_CLAIMS):
                world.virtual.drop(resource, "default", f"n{round_}-{number}")
        await world.settle()
        for name in world.host.names(PODS):
            world.host.drop(PODS, "team-x", name)
        await world.settle()
        await world.manager.scanner.scan()
        for informer in world.manager.informers:
            # for five minutes (test_graves.py)
            informer.store.forget_deletions()

    await churn(1)
    before = held(world)
    for round_ in range(2, 6):
        await churn(round_)
    gc.collect()
    assert held(world) - before == collections.Counter()


@pytest.fixture
def service() -> Obj:
    return syncing.service("web", clusterIP="10.96.0.150", selector={"app": "web"})


#: Every field of a Service that both sides may change (spec §2.3), with a value that differs from the one at first.
BOTH_WAYS = {
    "type": "LoadBalancer",
    "externalIPs": ["192.0.2.4"],
    "loadBalancerIP": "192.0.2.5",
    "publishNotReadyAddresses": True,
    "externalTrafficPolicy": "Local",
    "sessionAffinity": "ClientIP",
    "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}},
    "loadBalancerSourceRanges": ["192.0.2.0/24"],
    "healthCheckNodePort": 30005,
    "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}],
}


@pytest.mark.parametrize(("field", "value"), BOTH_WAYS.items(), ids=BOTH_WAYS)
async def test_26_each_field_of_a_service_goes_both_ways(service: Obj, field: str, value: object) -> None:
    def seen(world: syncing.World) -> list[object]:
        return [
            world.virtual.there(SERVICES, "default", "web")["spec"].get(field),
            world.host.there(SERVICES, "team-x", WEB)["spec"].get(field),
        ]

    down, up = syncing.World(), syncing.World()
    for world in (down, up):
        world.virtual.put(SERVICES, service)
        await world.settle()
    down.virtual.change(SERVICES, "default", "web", {"spec": {field: value}})
    up.host.change(SERVICES, "team-x", WEB, {"spec": {field: value}})
    for world in (down, up):
        await world.settle()
        first, second = seen(world)
        assert first == second
        assert _holds(first, value)


def _holds(found: object, value: object) -> bool:
    """A server adds node ports to the ports of a load balancer."""
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return [{key: one[key] for key in ("name", "port")} for one in found] == [
            {key: one[key] for key in ("name", "port")}
            for one in value  # type: ignore[attr-defined]  # ports are a list
        ]
    return found == value


def of_claims(written: list[requests.Request]) -> Iterator[tuple[str, str]]:
    for one in written:
        if "/persistentvolumeclaims" in one.path:
            yield one.method, one.path.rpartition("/")[2]


async def test_35_a_populator_that_rebinds_the_host_claim_is_left_in_peace() -> None:
    world = syncing.World()
    source = {"apiGroup": "example.com", "kind": "Image", "name": "disk"}
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim(dataSourceRef=source))
    await world.settle()
    host_name = "data-x-default-x-my-vc"
    uid = world.host.there(PERSISTENT_VOLUME_CLAIMS, "team-x", host_name)["metadata"]["uid"]
    world.host.forget_requests()
    # what the host's controllers write one after the other while the volume is prepared and then handed over
    steps: list[Obj] = [
        {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-1"}}},
        {"metadata": {"finalizers": ["example.com/populate-target-protection"]}},
        {"metadata": {"annotations": {"volume.kubernetes.io/storage-provisioner": "example.com"}}},
        {"spec": {"volumeName": "pv-1"}, "metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}},
        {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}},
        {"metadata": {"finalizers": None}},
    ]
    for step in steps:
        world.host.change(PERSISTENT_VOLUME_CLAIMS, "team-x", host_name, step)
        await world.settle()
    assert list(of_claims(world.host.writes)) == []
    host = world.host.there(PERSISTENT_VOLUME_CLAIMS, "team-x", host_name)
    assert (host["metadata"]["uid"], host["metadata"].get("deletionTimestamp")) == (uid, None)
    virtual = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, "default", "data")
    assert (virtual["spec"]["volumeName"], virtual["status"]["phase"]) == ("pv-1", "Bound")


async def test_15_a_conflict_that_never_ends_is_tried_less_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    world = syncing.World()
    world.virtual.put(SERVICES, syncing.service("web", clusterIP="10.96.1.1"))
    await world.settle()

    def modified(request: requests.Request) -> errors.ApiError | None:
        is_asked = request.method == "PATCH" and request.path.endswith(f"/{WEB}")
        return fake_side.error(409, "Conflict", "the object has been modified") if is_asked else None

    now = 0.0
    one = world.controller_of("services")
    one.queue = queue.WorkQueue(clock=lambda: now)
    world.host.answers.append(modified)
    world.host.forget_requests()
    world.virtual.change(SERVICES, "default", "web", {"spec": {"sessionAffinity": "ClientIP"}})
    while now < 45 * 60:
        key = await one.queue.get()
        await one._process(key)
        one.queue.done(key)
        now = one.queue._schedule.next_due() or now
    assert 40 < len(world.host.writes) < 150
    assert world.events() == []
    assert caplog.records == []
    world.host.answers.clear()
    await one._process(await one.queue.get())
    assert world.host.there(SERVICES, "team-x", WEB)["spec"]["sessionAffinity"] == "ClientIP"


@pytest.mark.parametrize("resource", [CONFIG_MAPS, SECRETS], ids=str)
async def test_16_an_outage_of_an_hour_is_told_once(resource: Resource, caplog: pytest.LogCaptureFixture) -> None:
    world = syncing.World("sync: {toHost: {configMaps: {all: true}, secrets: {all: true}}}")

    def down(request: requests.Request) -> errors.ApiError | None:
        is_asked = request.method == "POST" and request.path.endswith(f"/{resource.plural}")
        return fake_side.error(403, "Forbidden", "exceeded quota") if is_asked else None

    world.host.answers.append(down)
    world.virtual.put(resource, syncing.obj("web", data={}))
    key = VirtualKey("default", "web")
    one = world.controller_of(resource.plural)
    for _ in range(60):
        await one._process(key)
        world.clock += 60
    # again every five minutes, as one Event whose count rises
    (event,) = [found for found in world.virtual._all(("", EVENTS.plural)).values() if found["reason"] == "SyncError"]
    assert event["count"] >= 55
    assert len([record for record in caplog.records if record.message == "sync failed"]) == 1


async def test_16_what_goes_as_it_should_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = syncing.World()
    for number in range(20):
        name = f"web-{number}"
        world.virtual.put(SECRETS, syncing.obj(name, data={}))
        world.virtual.put(PODS, syncing.pod(name, volumes=[{"name": "s", "secret": {"secretName": name}}]))
        world.virtual.put(SERVICES, syncing.service(name, clusterIP=f"10.96.1.{number}"))
    await world.settle()
    for number, name in enumerate(world.host.names(PODS)):
        world.host.change(PODS, "team-x", name, {"status": {"phase": "Running"}})
        world.virtual.change(SECRETS, "default", f"web-{number}", {"data": {"a": "Yg=="}})
    await world.settle()
    await world.manager.scanner.scan()
    for number in range(20):
        world.virtual.drop(PODS, "default", f"web-{number}")
        world.virtual.drop(SECRETS, "default", f"web-{number}")
    await world.settle()
    assert [record.getMessage() for record in caplog.records] == []


async def test_17_what_an_earlier_virtual_cluster_of_the_name_left_goes_and_is_not_shown() -> None:
    first = syncing.World()
    first.virtual.put(SECRETS, syncing.obj("web", data={}))
    first.virtual.put(PODS, syncing.pod(volumes=[{"name": "s", "secret": {"secretName": "web"}}]))
    first.virtual.put(SERVICES, syncing.service("web", clusterIP="10.96.1.1"))
    first.virtual.put(PERSISTENT_VOLUME_CLAIMS, syncing.claim("web"))
    await first.settle()
    own = first.host.put(SECRETS, syncing.obj("of-the-operator", "team-x", data={}))
    second = syncing.World(host=first.host)
    assert first.host.names(PODS) == [WEB]
    second.host.list_all()
    await second.settle()
    for resource in (PODS, SECRETS, PERSISTENT_VOLUME_CLAIMS):
        assert second.virtual.names(resource) == []
    assert second.virtual.names(SERVICES) == ["kube-dns"]
    assert (second.host.names(PODS), second.host.names(PERSISTENT_VOLUME_CLAIMS)) == ([], [])
    assert second.host.get_now(SERVICES, "team-x", WEB) is None
    assert second.host.there(SECRETS, "team-x", "of-the-operator") == own
    assert second.host.names(SECRETS) == ["of-the-operator"]


ALL_KINDS = """
sync:
  toHost:
    configMaps: {all: true}
    secrets: {all: true}
    ingresses: {enabled: true}
    networkPolicies: {enabled: true}
    podDisruptionBudgets: {enabled: true}
    serviceAccounts: {enabled: true}
"""
#: What a tenant writes of each kind; the host object is called the same.
WRITTEN = {
    CONFIG_MAPS: syncing.obj("web", data={}),
    SECRETS: syncing.obj("web", data={}),
    SERVICES: syncing.service("web", clusterIP="10.96.1.1"),
    ENDPOINTS: syncing.obj("web", subsets=[]),
    ENDPOINT_SLICES: syncing.obj("web", labels={"kubernetes.io/service-name": "web"}, endpoints=[]),
    PODS: syncing.pod(),
    PERSISTENT_VOLUME_CLAIMS: syncing.claim("web"),
    INGRESSES: syncing.obj("web", spec={}),
    NETWORK_POLICIES: syncing.obj("web", spec={"podSelector": {}}),
    POD_DISRUPTION_BUDGETS: syncing.obj("web", spec={"selector": {}}),
    SERVICE_ACCOUNTS: syncing.obj("web"),
}


def test_32_no_kind_that_goes_to_the_host_is_left_out() -> None:
    world = syncing.World(ALL_KINDS)
    written = {one.spec.virtual for one in world.manager.controllers if one.spec.host == one.spec.virtual}
    assert written - {EVENTS} == set(WRITTEN)


@pytest.mark.parametrize("resource", WRITTEN, ids=str)
async def test_32_a_host_object_says_whose_it_is_whatever_the_tenant_writes(resource: Resource) -> None:
    world = syncing.World(ALL_KINDS)
    world.virtual.put(SERVICES, WRITTEN[SERVICES])
    world.virtual.put(SERVICE_ACCOUNTS, syncing.obj("default"))
    forged = {labels.OBJECT_NAME: "other", labels.OBJECT_NAMESPACE: "other", labels.OBJECT_KIND: "other"}
    body = fields.clone(WRITTEN[resource])
    body["metadata"]["annotations"] = forged
    body["metadata"]["labels"] = {**(body["metadata"].get("labels") or {}), labels.MANAGED_BY: "other"}
    uid = world.virtual.put(resource, body)["metadata"]["uid"]
    await world.settle()
    meta = world.host.there(resource, "team-x", WEB)["metadata"]
    marks = {labels.MANAGED_BY: "my-vc", labels.NAMESPACE: "default"}
    assert {key: meta["labels"][key] for key in marks} == marks
    notes = {
        labels.OBJECT_NAME: "web",
        labels.OBJECT_NAMESPACE: "default",
        labels.OBJECT_UID: uid,
        labels.OBJECT_KIND: f"{resource.group}/{resource.version}, Kind={resource.kind}",
    }
    assert {key: meta["annotations"][key] for key in notes} == notes
