"""Replacing a virtual object: whatever happens at whichever step, the tenant loses nothing and gets nothing twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from nestling.kube import errors, requests
from nestling.kube.resource import NAMESPACES, PERSISTENT_VOLUME_CLAIMS, SERVICES, Obj, Resource
from nestling.naming import labels
from nestling.naming.tenant import VirtualKey
from nestling.syncer import replacement
from tests.support import fake_side, syncing

KEY = VirtualKey("default", "web")
HOST = ("team-x", "web-x-default-x-my-vc")
HELD = ["backup/running", "kubernetes.io/pvc-protection"]
#: More writes than a replacement has.
STEPS = range(1, 9)


@dataclasses.dataclass(frozen=True)
class Case:
    """A virtual object that has to be replaced, and the value that tells."""

    resource: Resource
    field: str
    prepare: Callable[[syncing.World], None]

    def agreed(self, world: syncing.World) -> Obj:
        """The virtual object, once all is as it should be."""
        virtual, host = world.virtual.there(self.resource, *KEY), world.host.there(self.resource, *HOST)
        assert virtual["spec"][self.field] == host["spec"][self.field]
        assert virtual["metadata"]["labels"] == {"app": "web"}
        assert "backup/running" in virtual["metadata"]["finalizers"]
        assert "deletionTimestamp" not in virtual["metadata"]
        assert host["metadata"]["annotations"][labels.OBJECT_UID] == virtual["metadata"]["uid"]
        assert replacement.NOTE not in host["metadata"]["annotations"]
        return virtual


def _service(world: syncing.World) -> None:
    """The host has given the Service another address, and nobody has carried it up."""
    held = syncing.service("web", clusterIP="10.96.0.150", labels={"app": "web"})
    held["metadata"]["finalizers"] = HELD
    world.virtual.put(SERVICES, held)
    world.host.put(SERVICES, _marked(world, SERVICES, syncing.service(HOST[1], HOST[0], clusterIP="10.96.0.77")))


def _claim(world: syncing.World) -> None:
    """The claim has got another host claim, with another volume."""
    held = syncing.claim("web", volumeName="pvc-old")
    notes = {"pv.kubernetes.io/bind-completed": "yes"}
    held["metadata"] |= {"finalizers": HELD, "labels": {"app": "web"}, "annotations": notes}
    held["status"] = {"phase": "Bound"}
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, held)
    there = syncing.claim(HOST[1], HOST[0], volumeName="pvc-new")
    there["status"] = {"phase": "Bound"}
    world.host.put(PERSISTENT_VOLUME_CLAIMS, _marked(world, PERSISTENT_VOLUME_CLAIMS, there))


def _marked(world: syncing.World, resource: Resource, host: Obj) -> Obj:
    """The host object with our marks: what an earlier syncer has left."""
    uid = world.virtual.there(resource, *KEY)["metadata"]["uid"]
    notes = {
        labels.OBJECT_NAME: KEY.name,
        labels.OBJECT_NAMESPACE: KEY.namespace,
        labels.OBJECT_UID: uid,
        labels.OBJECT_KIND: resource.gvk,
        labels.OBJECT_HOST_NAME: HOST[1],
        labels.OBJECT_HOST_NAMESPACE: HOST[0],
    }
    marks = {"app": "web", labels.MANAGED_BY: "my-vc", labels.NAMESPACE: KEY.namespace}
    host["metadata"] |= {"annotations": notes, "labels": marks}
    return host


SERVICE = Case(SERVICES, "clusterIP", _service)
CLAIM = Case(PERSISTENT_VOLUME_CLAIMS, "volumeName", _claim)
both = pytest.mark.parametrize("case", [SERVICE, CLAIM], ids=["service", "claim"])


@pytest.fixture
def world() -> syncing.World:
    return syncing.World()


class Power:
    """Counts the writes of both sides and cuts the power at one of them, before or after the server has done it."""

    def __init__(self, world: syncing.World, *, at: int, is_done: bool) -> None:
        self.count = 0
        self._at, self._is_done, self._sides = at, is_done, (world.virtual, world.host)
        for side in self._sides:
            self._meter(side)

    def back(self) -> None:
        for side in self._sides:
            del side.send

    def _meter(self, side: fake_side.FakeSide) -> None:
        send = side.send

        async def metered(request: requests.Request) -> bytes:
            if self.count >= self._at:
                raise PowerCut
            if request.method == "GET" or "dryRun" in request.params:
                return await send(request)
            self.count += 1
            if self.count < self._at:
                return await send(request)
            if self._is_done:
                await send(request)
            raise PowerCut

        side.send = metered  # type: ignore[method-assign]  # on this one object


class PowerCut(Exception):
    """The process is dead."""


@both
async def test_everything_of_the_tenants_is_kept(world: syncing.World, case: Case) -> None:
    case.prepare(world)
    before = world.virtual.there(case.resource, *KEY)["metadata"]["uid"]
    await world.settle()
    assert case.agreed(world)["metadata"]["uid"] != before
    assert await world.again() == []


@both
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step(world: syncing.World, case: Case, step: int, *, is_done: bool) -> None:
    case.prepare(world)
    host = world.host.there(case.resource, *HOST)["metadata"]["uid"]
    power = Power(world, at=step, is_done=is_done)
    await world.settle()
    power.back()
    world.restart()
    await world.settle()
    case.agreed(world)
    assert world.host.there(case.resource, *HOST)["metadata"]["uid"] == host
    assert await world.again() == []


@both
@pytest.mark.parametrize("step", STEPS)
async def test_an_answer_lost_at_any_step(world: syncing.World, case: Case, step: int) -> None:
    """The syncer lives on, but does not know what the server has done; its caches lag behind until the end."""
    case.prepare(world)
    power = Power(world, at=step, is_done=True)
    await world.settle()
    power.back()
    world.virtual.is_deaf = world.host.is_deaf = True
    await world.settle()
    world.virtual.is_deaf = world.host.is_deaf = False
    world.restart()
    await world.settle()
    case.agreed(world)


@both
async def test_a_deletion_that_was_done_though_nobody_heard_of_it_is_not_taken_for_the_tenants(
    world: syncing.World, case: Case
) -> None:
    case.prepare(world)
    answers = iter([fake_side.error(500, "InternalError", "etcdserver: request timed out")])

    def done_but_not_said(request: requests.Request) -> errors.ApiError | None:
        error = next(answers, None) if request.method == "DELETE" else None
        if error is not None:
            world.virtual.is_deaf = True
            world.virtual.drop(case.resource, *KEY)
        return error

    world.virtual.answers.append(done_but_not_said)
    await world.settle()
    assert replacement.NOTE in world.host.there(case.resource, *HOST)["metadata"]["annotations"]
    world.virtual.is_deaf = False
    world.restart()
    await world.settle()
    case.agreed(world)


def after_the_note(world: syncing.World, act: Callable[[], object]) -> None:
    """Do something as soon as the note is on the host."""
    asked: list[str] = []

    def look(request: requests.Request) -> None:
        if request.method == "DELETE" and not asked:
            asked.append(request.path)
            act()

    world.virtual.answers.append(look)


@both
async def test_a_tenant_who_deletes_at_that_moment_is_obeyed(world: syncing.World, case: Case) -> None:
    case.prepare(world)
    after_the_note(world, lambda: world.virtual.drop(case.resource, *KEY))
    await world.settle()
    assert world.virtual.get_now(case.resource, *KEY) is None
    assert world.host.get_now(case.resource, *HOST) is None


@both
async def test_what_the_tenant_deletes_at_that_moment_and_holds_keeps_its_host_object(
    world: syncing.World, case: Case
) -> None:
    case.prepare(world)
    going = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    after_the_note(world, lambda: world.virtual.change(case.resource, *KEY, going))
    before = world.host.there(case.resource, *HOST)["metadata"]["uid"]
    await world.settle()
    held = world.virtual.there(case.resource, *KEY)["metadata"]
    assert (held["finalizers"], "deletionTimestamp" in held) == (HELD, True)
    host = world.host.there(case.resource, *HOST)["metadata"]
    assert host["uid"] == before
    assert replacement.NOTE not in host["annotations"]


@both
async def test_a_new_object_of_the_tenants_is_not_overwritten(world: syncing.World, case: Case) -> None:
    case.prepare(world)
    made: list[Obj] = []

    def by_somebody_else(request: requests.Request) -> None:
        is_ours = request.method == "POST" and "dryRun" not in request.params
        if is_ours and world.virtual.get_now(case.resource, *KEY) is None and not made:
            theirs = fake_side.body_of(request)
            theirs["metadata"] |= {"annotations": {"made-by": "a controller"}, "finalizers": HELD}
            theirs["spec"].pop("volumeName", None)
            made.append(world.virtual.put(case.resource, theirs))

    world.virtual.answers.append(by_somebody_else)
    await world.settle()
    assert case.agreed(world)["metadata"]["uid"] == made[0]["metadata"]["uid"]
    assert case.agreed(world)["metadata"]["annotations"]["made-by"] == "a controller"


@both
async def test_an_object_whose_namespace_goes_does_not_come_back(world: syncing.World, case: Case) -> None:
    case.prepare(world)

    def gone(request: requests.Request) -> errors.ApiError | None:
        if request.method == "POST" and "dryRun" not in request.params and f"/{case.resource.plural}" in request.path:
            return fake_side.error(404, "NotFound", 'namespaces "default" not found')
        return None

    world.virtual.answers.append(gone)
    await world.settle()
    assert world.virtual.get_now(case.resource, *KEY) is None
    assert world.host.get_now(case.resource, *HOST) is None


async def test_what_the_server_would_not_take_is_not_deleted_for(world: syncing.World) -> None:
    CLAIM.prepare(world)
    before = world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *KEY)["metadata"]["uid"]
    world.virtual.answers.append(_refusing("a policy says no"))
    await world.settle()
    assert world.virtual.there(PERSISTENT_VOLUME_CLAIMS, *KEY)["metadata"]["uid"] == before
    assert any("a policy says no" in event["message"] for event in world.events())


async def test_a_quota_that_is_used_up_is_no_reason_as_the_old_object_makes_room(world: syncing.World) -> None:
    CLAIM.prepare(world)
    world.virtual.answers.append(_refusing("exceeded quota: claims"))
    await world.settle()
    CLAIM.agreed(world)


def _refusing(message: str) -> fake_side.Answer:
    def answer(request: requests.Request) -> errors.ApiError | None:
        is_rehearsal = request.method == "POST" and "dryRun" in request.params
        return fake_side.error(403, "Forbidden", message) if is_rehearsal else None

    return answer


async def test_an_address_that_another_virtual_service_has_is_changed_for_another_one(world: syncing.World) -> None:
    world.virtual.take_ip("10.96.0.77")
    SERVICE.prepare(world)
    before = world.host.there(SERVICES, *HOST)["metadata"]["uid"]
    await world.settle()
    virtual, host = world.virtual.there(SERVICES, *KEY), world.host.there(SERVICES, *HOST)
    assert virtual["spec"]["clusterIP"] == host["spec"]["clusterIP"] != "10.96.0.77"
    assert host["metadata"]["uid"] != before
    assert await world.again() == []


async def test_an_address_that_the_virtual_cluster_does_not_have_is_changed_for_another_one(
    world: syncing.World,
) -> None:
    """That a dry run does tell, so that the virtual Service stays."""

    def out_of_range(request: requests.Request) -> errors.ApiError | None:
        is_asked = request.method == "POST" and b'"10.96.0.77"' in (request.body or b"")
        return fake_side.error(422, "Invalid", "the provided IP is not in the valid range") if is_asked else None

    SERVICE.prepare(world)
    before = world.virtual.there(SERVICES, *KEY)["metadata"]["uid"]
    world.virtual.answers.append(out_of_range)
    await world.settle()
    virtual, host = world.virtual.there(SERVICES, *KEY), world.host.there(SERVICES, *HOST)
    assert virtual["spec"]["clusterIP"] == host["spec"]["clusterIP"] != "10.96.0.77"
    assert virtual["metadata"]["uid"] == before


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_of_a_replacement_whose_address_is_taken(
    world: syncing.World, step: int, *, is_done: bool
) -> None:
    world.virtual.take_ip("10.96.0.77")
    SERVICE.prepare(world)
    power = Power(world, at=step, is_done=is_done)
    await world.settle()
    power.back()
    world.restart()
    await world.settle()
    assert SERVICE.agreed(world)["spec"]["clusterIP"] != "10.96.0.77"
    assert await world.again() == []


@pytest.mark.parametrize(
    "text", ["", "nonsense", '{"uid":"1"}', '{"uid":"1","virtual":{}}', '{"uid":"1","virtual":[]}']
)
async def test_a_note_that_makes_no_sense_is_no_note(world: syncing.World, text: str) -> None:
    CLAIM.prepare(world)
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, {"metadata": {"annotations": {replacement.NOTE: text}}})
    world.virtual.drop(PERSISTENT_VOLUME_CLAIMS, *KEY)
    await world.settle()
    assert world.host.get_now(PERSISTENT_VOLUME_CLAIMS, *HOST) is None


async def test_a_note_about_another_object_is_not_believed(world: syncing.World) -> None:
    CLAIM.prepare(world)
    text = '{"uid":"1","virtual":{"metadata":{"name":"db","namespace":"kube-system"},"spec":{}}}'
    world.host.change(PERSISTENT_VOLUME_CLAIMS, *HOST, {"metadata": {"annotations": {replacement.NOTE: text}}})
    world.virtual.drop(PERSISTENT_VOLUME_CLAIMS, *KEY)
    await world.settle()
    assert world.virtual.names(PERSISTENT_VOLUME_CLAIMS) == []


async def test_a_tenant_cannot_write_the_note(world: syncing.World) -> None:
    text = '{"uid":"1","virtual":{"metadata":{"name":"web","namespace":"default"},"spec":{}}}'
    forged = syncing.claim("web")
    forged["metadata"]["annotations"] = {replacement.NOTE: text}
    world.virtual.put(NAMESPACES, syncing.obj("default", ""))
    world.virtual.put(PERSISTENT_VOLUME_CLAIMS, forged)
    await world.settle()
    assert replacement.NOTE not in world.host.there(PERSISTENT_VOLUME_CLAIMS, *HOST)["metadata"]["annotations"]
