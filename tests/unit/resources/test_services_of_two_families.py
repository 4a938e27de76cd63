"""Services with addresses of two families (spec §2.3, docs/lessons.md row 27)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.kube.resource import SERVICES, Obj
from tests.support import syncing

HOST = ("team-x", "web-x-default-x-my-vc")
BOTH = ["IPv4", "IPv6"]
ADDRESSES = ["10.96.0.150", "fd00:96::150"]
DUAL: Obj = {"clusterIP": ADDRESSES[0], "clusterIPs": ADDRESSES, "ipFamilies": BOTH}
#: Where a Service is reached.
SHOWN = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


@pytest.fixture
def world() -> syncing.World:
    made = syncing.World()
    made.virtual.families = made.host.families = BOTH
    return made


def there(world: syncing.World) -> tuple[Obj, Obj]:
    """How the Service is reached on both sides."""
    sides = (world.virtual.there(SERVICES, "default", "web"), world.host.there(SERVICES, *HOST))
    virtual, host = ({field: one["spec"].get(field) for field in SHOWN} for one in sides)
    return virtual, host


async def synced(world: syncing.World, **spec: Any) -> tuple[Obj, Obj]:
    world.virtual.put(SERVICES, syncing.service("web", **{**DUAL, **spec}))
    await world.settle()
    return there(world)


def uid(world: syncing.World) -> str:
    found: str = world.virtual.there(SERVICES, "default", "web")["metadata"]["uid"]
    return found


def words(world: syncing.World) -> str:
    """What the tenant was told."""
    return "\n".join(event["message"] for event in world.events())


@pytest.mark.parametrize("policy", ["PreferDualStack", "RequireDualStack"])
async def test_27_both_addresses_are_asked_for_on_the_host(world: syncing.World, policy: str) -> None:
    virtual, host = await synced(world, ipFamilyPolicy=policy)
    assert host == virtual == {**DUAL, "ipFamilyPolicy": policy}
    assert await world.again() == []


async def test_27_the_order_of_the_families_is_the_tenants(world: syncing.World) -> None:
    turned: Obj = {"clusterIP": ADDRESSES[1], "clusterIPs": ADDRESSES[::-1], "ipFamilies": BOTH[::-1]}
    virtual, host = await synced(world, **turned, ipFamilyPolicy="PreferDualStack")
    assert host == virtual == {**turned, "ipFamilyPolicy": "PreferDualStack"}


async def test_27_a_second_address_comes_and_goes_with_the_policy(world: syncing.World) -> None:
    one: Obj = {"clusterIPs": ADDRESSES[:1], "ipFamilies": BOTH[:1], "ipFamilyPolicy": "SingleStack"}
    two: Obj = {**DUAL, "ipFamilyPolicy": "PreferDualStack"}
    await synced(world, **one)
    before = uid(world)
    for wanted in (two, one):
        world.virtual.change(SERVICES, "default", "web", {"spec": wanted})
        await world.settle()
        virtual, host = there(world)
        assert host == virtual == {"clusterIP": ADDRESSES[0], **wanted}
        assert await world.again() == []
    assert uid(world) == before


async def test_27_a_host_service_of_an_earlier_release_gets_its_second_address(world: syncing.World) -> None:
    await synced(world, ipFamilyPolicy="PreferDualStack")
    first = {"clusterIPs": ADDRESSES[:1], "ipFamilies": BOTH[:1], "ipFamilyPolicy": "SingleStack"}
    world.host.change(SERVICES, *HOST, {"spec": first})
    world.restart()
    await world.settle()
    virtual, host = there(world)
    assert host == virtual == {**DUAL, "ipFamilyPolicy": "PreferDualStack"}


@pytest.mark.parametrize("taken", ADDRESSES)
async def test_27_a_taken_address_of_either_family_ends_with_both_agreeing(world: syncing.World, taken: str) -> None:
    world.host.take_ip(taken)
    virtual, host = await synced(world, ipFamilyPolicy="RequireDualStack")
    assert host == virtual
    assert taken not in host["clusterIPs"]
    assert (host["ipFamilies"], host["ipFamilyPolicy"]) == (BOTH, "RequireDualStack")
    assert await world.again() == []


async def test_27_a_taken_second_address_of_a_service_that_gets_one_later(world: syncing.World) -> None:
    one: Obj = {"clusterIPs": ADDRESSES[:1], "ipFamilies": BOTH[:1], "ipFamilyPolicy": "SingleStack"}
    await synced(world, **one)
    world.host.take_ip(ADDRESSES[1])
    world.virtual.change(SERVICES, "default", "web", {"spec": {**DUAL, "ipFamilyPolicy": "PreferDualStack"}})
    await world.settle()
    virtual, host = there(world)
    assert host == virtual
    assert host["clusterIP"] == ADDRESSES[0]
    assert host["clusterIPs"][1:] not in ([], ADDRESSES[1:])
    assert await world.again() == []


async def test_27_a_taken_address_of_one_family_is_replaced_by_one_of_the_same(world: syncing.World) -> None:
    world.host.take_ip(ADDRESSES[1])
    six: Obj = {"clusterIP": ADDRESSES[1], "clusterIPs": ADDRESSES[1:], "ipFamilies": BOTH[1:]}
    virtual, host = await synced(world, **six, ipFamilyPolicy="SingleStack")
    assert host == virtual
    assert host["ipFamilies"] == ["IPv6"]
    assert host["clusterIP"] != ADDRESSES[1]


async def test_27_a_host_of_one_family_leaves_one_address_and_says_so(world: syncing.World) -> None:
    world.host.families = ["IPv4"]
    virtual, host = await synced(world, ipFamilyPolicy="PreferDualStack")
    assert host == virtual
    assert (len(host["clusterIPs"]), host["ipFamilies"], host["ipFamilyPolicy"]) == (1, ["IPv4"], "SingleStack")
    assert "the host gives Services addresses of IPv4 only" in words(world)
    assert await world.again() == []


async def test_27_a_second_address_that_a_host_of_one_family_cannot_give_goes_again(world: syncing.World) -> None:
    world.host.families = ["IPv4"]
    one: Obj = {"clusterIPs": ADDRESSES[:1], "ipFamilies": BOTH[:1], "ipFamilyPolicy": "SingleStack"}
    await synced(world, **one)
    before = uid(world)
    world.virtual.change(SERVICES, "default", "web", {"spec": {**DUAL, "ipFamilyPolicy": "PreferDualStack"}})
    await world.settle()
    virtual, host = there(world)
    assert host == virtual == {"clusterIP": ADDRESSES[0], **one}
    assert uid(world) == before
    assert await world.again() == []


async def test_27_two_families_that_are_required_of_a_host_of_one_are_refused_with_its_words(
    world: syncing.World,
) -> None:
    world.host.families = ["IPv4"]
    world.virtual.put(SERVICES, syncing.service("web", **DUAL, ipFamilyPolicy="RequireDualStack"))
    before = world.virtual.there(SERVICES, "default", "web")
    await world.settle()
    assert world.host.get_now(SERVICES, *HOST) is None
    assert "not configured" in words(world)
    assert world.virtual.there(SERVICES, "default", "web") == before


@pytest.mark.parametrize("families", [BOTH, BOTH[:1]])
async def test_27_a_tenant_of_one_family_gets_no_second_address(world: syncing.World, families: list[str]) -> None:
    world.virtual.families, world.host.families = ["IPv4"], families
    one: Obj = {"clusterIPs": ADDRESSES[:1], "ipFamilies": BOTH[:1]}
    virtual, host = await synced(world, **one, ipFamilyPolicy="PreferDualStack")
    assert host == {**virtual, "ipFamilyPolicy": "SingleStack"}
    assert virtual == {"clusterIP": ADDRESSES[0], **one, "ipFamilyPolicy": "PreferDualStack"}
    assert await world.again() == []


async def test_27_what_somebody_adds_on_the_host_goes_again(world: syncing.World) -> None:
    one: Obj = {"clusterIPs": ADDRESSES[:1], "ipFamilies": BOTH[:1], "ipFamilyPolicy": "SingleStack"}
    await synced(world, **one)
    world.host.change(SERVICES, *HOST, {"spec": {**DUAL, "ipFamilyPolicy": "PreferDualStack"}})
    await world.settle()
    virtual, host = there(world)
    assert host == virtual == {"clusterIP": ADDRESSES[0], **one}


HEADLESS: Obj = {"clusterIP": "None", "clusterIPs": ["None"], "selector": {"app": "web"}}


async def test_27_the_families_of_a_headless_service(world: syncing.World) -> None:
    virtual, host = await synced(world, **HEADLESS, ipFamilyPolicy="PreferDualStack")
    assert host == virtual
    assert (host["clusterIPs"], host["ipFamilies"]) == (["None"], BOTH)
    one = {"ipFamilies": BOTH[:1], "ipFamilyPolicy": "SingleStack"}
    world.virtual.change(SERVICES, "default", "web", {"spec": one})
    await world.settle()
    virtual, host = there(world)
    assert host == virtual
    assert host["ipFamilies"] == ["IPv4"]
    assert await world.again() == []


async def test_27_a_headless_service_on_a_host_of_one_family(world: syncing.World) -> None:
    world.host.families = ["IPv4"]
    virtual, host = await synced(world, **HEADLESS, ipFamilyPolicy="PreferDualStack")
    assert host == virtual
    assert host["ipFamilies"] == ["IPv4"]
    assert await world.again() == []


@pytest.mark.parametrize(
    "earlier",
    [{"ipFamilyPolicy": "SingleStack", "clusterIPs": ADDRESSES[:1], "ipFamilies": BOTH[:1]}, {**HEADLESS}],
    ids=["with an address", "of the other family"],
)
async def test_a_service_made_headless_while_nobody_looked_stays_so(world: syncing.World, earlier: Obj) -> None:
    """The host Service is that of an earlier one, and neither its address nor its first family can be changed."""
    await synced(world, **{"ipFamilies": BOTH[:1], "ipFamilyPolicy": "SingleStack", **earlier})
    world.virtual.drop(SERVICES, "default", "web")
    new: Obj = {**HEADLESS, "ipFamilies": ["IPv6"], "ipFamilyPolicy": "SingleStack"}
    world.virtual.put(SERVICES, syncing.service("web", **new))
    before = uid(world)
    await world.settle()
    virtual, host = there(world)
    assert uid(world) == before
    assert host == virtual
    assert (virtual["clusterIP"], virtual["ipFamilies"]) == ("None", ["IPv6"])
    assert await world.again() == []
