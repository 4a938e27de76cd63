"""Services of two families between real API servers of one family and of two (spec §2.3, docs/lessons.md row 27)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from nestling.kube import client, errors, kubeconfig
from nestling.kube.resource import EVENTS, NAMESPACES, SERVICES, Obj
from nestling.naming import names
from nestling.naming.tenant import VirtualKey
from tests.integration.syncer.sides import until
from tests.support import chaos, envtest

DUAL: Final = "10.96.0.0/24,fd00:96::/112"
SINGLE: Final = "10.96.0.0/24"
#: Where a Service is reached.
SHOWN: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
PORTS: Final = [{"port": 80}]
BOTH: Final = ["IPv4", "IPv6"]


@dataclasses.dataclass(frozen=True)
class Pair:
    """A virtual API server, a host, and how to start a syncer between them."""

    virtual: client.Client
    host: client.Client
    accesses: tuple[kubeconfig.ClientConfig, kubeconfig.ClientConfig]

    async def make(self, name: str, namespace: str = "default", **spec: Any) -> Obj:
        """A virtual Service."""
        body: Obj = {"metadata": {"name": name}, "spec": {"ports": PORTS, **spec}}
        return await self.virtual.create(SERVICES, body, namespace)

    async def occupy(self, address: str) -> None:
        """Somebody else on the host has this address."""
        family = "IPv6" if ":" in address else "IPv4"
        spec: Obj = {"ports": PORTS, "clusterIP": address, "ipFamilies": [family]}
        await self.host.create(SERVICES, {"metadata": {"generateName": "occupier-"}, "spec": spec}, "default")

    async def agreed(self, name: str, condition: Callable[[Obj], object] = bool, *, namespace: str = "default") -> Obj:
        """How both Services are reached, once that is the same and as it should be."""
        host_name = names.host_name(VirtualKey(namespace, name), chaos.TENANT).name
        last: list[Obj] = []

        async def look() -> Obj | None:
            try:
                virtual = await self.virtual.get(SERVICES, name, namespace)
                host = await self.host.get(SERVICES, host_name, chaos.TENANT.namespace)
            except errors.NotFound:
                return None
            last[:] = [{field: one["spec"].get(field) for field in SHOWN} for one in (virtual, host)]
            return last[0] if last[0] == last[1] and condition(last[0]) else None

        return await until(look, f"agreement about {name}", explain=lambda: str(last))

    async def versions(self) -> dict[str, str]:
        """The resourceVersion of every Service on both sides."""
        found = [*await self.virtual.list(SERVICES), *await self.host.list(SERVICES)]
        return {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in found}

    @contextlib.asynccontextmanager
    async def syncing(self) -> AsyncIterator[chaos.Syncer]:
        """A syncer works during the block."""
        async with asyncio.TaskGroup() as group:
            syncer = chaos.Syncer(*self.accesses)
            syncer.start(group)
            try:
                yield syncer
            finally:
                await syncer.kill()


@contextlib.asynccontextmanager
async def running(folder: Path, *, virtual: str, host: str) -> AsyncIterator[Pair]:
    """Two API servers that give Services addresses from these ranges."""
    async with contextlib.AsyncExitStack() as stack:
        apis = []
        accesses = []
        for name, cidr in (("virtual", virtual), ("host", host)):
            arguments = [f"--service-cluster-ip-range={cidr}"]
            cluster = await stack.enter_async_context(envtest.running_async(folder / name, apiserver_args=arguments))
            accesses.append(kubeconfig.load([cluster.kubeconfig]))
            apis.append(await stack.enter_async_context(client.Client(accesses[-1])))
        await apis[1].create(NAMESPACES, {"metadata": {"name": chaos.TENANT.namespace}})
        front: Obj = {"metadata": {"name": chaos.TENANT.name}, "spec": {"ports": [{"port": 443}]}}
        await apis[1].create(SERVICES, front, chaos.TENANT.namespace)
        yield Pair(apis[0], apis[1], (accesses[0], accesses[1]))


def has_two(spec: Obj) -> bool:
    """Has it an address of each family?"""
    return len(spec["clusterIPs"]) == 2


def has_policy(policy: str, spec: Obj) -> bool:
    """Is it this one?"""
    return bool(spec["ipFamilyPolicy"] == policy)


async def test_27_both_addresses_are_the_same_on_both_sides(tmp_path: Path) -> None:
    async with running(tmp_path, virtual=DUAL, host=DUAL) as pair:
        wanted: dict[str, Obj] = {
            "prefers": {"ipFamilyPolicy": "PreferDualStack"},
            "requires": {"ipFamilyPolicy": "RequireDualStack"},
            "turned": {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": BOTH[::-1]},
            "six": {"ipFamilies": ["IPv6"]},
            "headless": {"clusterIP": "None", "ipFamilyPolicy": "PreferDualStack", "selector": {"app": "x"}},
            "pointed": {"clusterIP": "None"},
            "balanced": {"type": "LoadBalancer", "ipFamilyPolicy": "PreferDualStack"},
        }
        made = {name: await pair.make(name, **spec) for name, spec in wanted.items()}
        async with pair.syncing():
            for name, one in made.items():
                found = await pair.agreed(name)
                assert found == {field: one["spec"].get(field) for field in SHOWN}, name
        before = await pair.versions()
        mark = await pair.make("mark")
        async with pair.syncing() as syncer:
            await pair.agreed("mark")
            await until(lambda: _true(syncer.idle), "end of the work")
        after = await pair.versions()
        assert {uid: after[uid] for uid in before} == before, "a second reconcile writes nothing"
        assert mark["metadata"]["uid"] not in before


async def test_27_a_change_of_the_policy_arrives(tmp_path: Path) -> None:
    async with running(tmp_path, virtual=DUAL, host=DUAL) as pair, pair.syncing():
        before = await pair.make("web")
        headless = await pair.make("headless", clusterIP="None", selector={"app": "x"})
        for policy, count in (("PreferDualStack", 2), ("SingleStack", 1), ("RequireDualStack", 2)):
            for name in ("web", "headless"):
                await pair.virtual.patch(SERVICES, name, {"spec": {"ipFamilyPolicy": policy}}, "default")
                found = await pair.agreed(name, functools.partial(has_policy, policy))
                assert len(found["ipFamilies"]) == count
        for one in (before, headless):
            after = await pair.virtual.get(SERVICES, one["metadata"]["name"], "default")
            assert after["metadata"]["uid"] == one["metadata"]["uid"], "nothing was made anew for it"


async def test_27_a_taken_address_of_either_family_ends_with_both_agreeing(tmp_path: Path) -> None:
    async with running(tmp_path, virtual=DUAL, host=DUAL) as pair:
        made = [await pair.make(name, ipFamilyPolicy="PreferDualStack") for name in ("first", "second")]
        taken = [one["spec"]["clusterIPs"][number] for number, one in enumerate(made)]
        await pair.make("later")
        for address in (*taken, "fd00:96::1234"):
            await pair.occupy(address)
        async with pair.syncing():
            for one, address in zip(made, taken, strict=True):
                found = await pair.agreed(one["metadata"]["name"], has_two)
                assert address not in found["clusterIPs"]
            # its own address may have been given to one of the others on the host
            later = await pair.agreed("later")
            addresses = [later["clusterIPs"][0], "fd00:96::1234"]
            upgrade = {"ipFamilyPolicy": "PreferDualStack", "clusterIPs": addresses, "ipFamilies": BOTH}
            await pair.virtual.patch(SERVICES, "later", {"spec": upgrade}, "default")
            found = await pair.agreed("later", has_two)
            assert found["clusterIPs"][0] == addresses[0]
            assert found["clusterIPs"][1] != addresses[1]


async def test_27_a_host_of_one_family(tmp_path: Path) -> None:
    async with running(tmp_path, virtual=DUAL, host=SINGLE) as pair, pair.syncing():
        await pair.make("prefers", ipFamilyPolicy="PreferDualStack")
        await pair.make("headless", clusterIP="None", ipFamilyPolicy="PreferDualStack", selector={"app": "x"})
        for name in ("prefers", "headless"):
            found = await pair.agreed(name)
            assert (len(found["clusterIPs"]), found["ipFamilies"]) == (1, ["IPv4"])
        await said(pair, "prefers", "the host gives Services addresses of IPv4 only")
        refused = await pair.make("requires", ipFamilyPolicy="RequireDualStack")
        await said(pair, "requires", "not configured on this cluster")
        kept = await pair.virtual.get(SERVICES, "requires", "default")
        assert kept["metadata"]["uid"] == refused["metadata"]["uid"]


async def test_27_a_tenant_of_one_family_on_a_host_of_two(tmp_path: Path) -> None:
    async with running(tmp_path, virtual=SINGLE, host=DUAL) as pair, pair.syncing():
        before = await pair.make("prefers", ipFamilyPolicy="PreferDualStack")
        host_name = names.host_name(VirtualKey("default", "prefers"), chaos.TENANT).name

        async def look() -> Obj | None:
            with contextlib.suppress(errors.NotFound):
                return await pair.host.get(SERVICES, host_name, chaos.TENANT.namespace)
            return None

        host = await until(look, "host Service")
        assert host["spec"]["clusterIPs"] == before["spec"]["clusterIPs"]
        with pytest.raises(errors.Invalid, match="not configured for dual-stack"):
            await pair.make("requires", ipFamilyPolicy="RequireDualStack")


async def said(pair: Pair, name: str, text: str) -> Obj:
    """An event on a Service of the tenant with these words."""

    async def look() -> Obj | None:
        events = await pair.virtual.list(EVENTS, "default")
        found = (one for one in events if one["involvedObject"].get("name") == name and text in one["message"])
        return next(found, None)

    return await until(look, f'event "{text}" on {name}')


async def _true(value: bool) -> bool | None:
    return True if value else None
