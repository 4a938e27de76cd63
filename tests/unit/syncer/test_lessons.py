"""What users of vCluster suffered from, replayed against a whole syncer in memory; numbers as in docs/lessons.md."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sized

import pytest

from nestling.kube import errors, requests
from nestling.kube.resource import CONFIG_MAPS, EVENTS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES, Obj, Resource
from nestling.naming.tenant import VirtualKey
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


def remembered(world: syncing.World) -> dict[str, int]:
    """How much each part of the syncer holds, by where it is held."""
    sizes: dict[str, int] = {}
    for one in world.manager.controllers:
        parts: dict[str, Sized] = {
            "agreed": one._agreed,
            "seen": one.ledger._seen,
            "work": one.ledger._work,
            "stuck": one.ledger._stuck,
        }
        parts |= {"failures": one.queue._failures, "fights": one._loops._fights}
        sizes |= {f"{one.spec.name}.{name}": len(part) for name, part in parts.items()}
    for side, informer in world.manager.caches:
        store = informer.store
        sizes[f"{side.value}.{store.resource.plural}"] = len(list(store.keys()))
        indexes: list[Sized] = [*store._values.values(), *store._found.values()]
        for index in indexes:
            sizes[f"{side.value}.{store.resource.plural}.index"] = len(index)
    return sizes


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

    await churn(1)
    before = remembered(world)
    for round_ in range(2, 6):
        await churn(round_)
    gc.collect()
    assert remembered(world) == before


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
