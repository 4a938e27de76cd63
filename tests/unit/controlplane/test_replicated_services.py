"""The duty of replicated Services between two API servers in memory (spec §3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from nestling.controlplane import loops, replicated_services, replication
from nestling.kube import errors, requests
from nestling.kube.resource import ENDPOINTS, EVENTS, NAMESPACES, SERVICES, Obj, Resource
from nestling.naming import labels
from tests.support import fake_side, syncing
from tests.unit.controlplane import samples

VALUES = """
networking:
  replicateServices:
    toHost: [{from: shop/web, to: web}]
    fromHost: [{from: data/pg, to: shop/db}]
"""
MARKED = {labels.CONTROLLED_BY: "vcluster"}


class Side(fake_side.FakeSide):
    """One that can be listed, and knows namespaces."""

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> list[Obj]:
        key, _, value = (label_selector or "=").partition("=")
        found = (self.there(resource, *where) for where in list(self._all((resource.group, resource.plural))))
        return [
            one
            for one in found
            if namespace in (None, one["metadata"]["namespace"])
            and (not key or one["metadata"].get("labels", {}).get(key) == value)
        ]

    def without_namespace(self, name: str) -> None:
        """Refuse what is created in a namespace that does not exist."""

        def refuse(request: requests.Request) -> Obj | errors.ApiError | None:
            is_there = self.get_now(NAMESPACES, "", name) is not None
            if request.method == "POST" and f"/namespaces/{name}/" in request.path and not is_there:
                return fake_side.error(404, "NotFound", "no namespace")
            return None

        self.answers.append(refuse)


class World:
    """Both sides and the duty."""

    def __init__(self, values: str = VALUES) -> None:
        self.virtual, self.host = Side("virtual", first_ip=100), Side("host")
        self.start(values)

    def start(self, values: str) -> None:
        """A new process."""
        self.duty = replicated_services.ReplicatedServices(
            samples.config(values), samples.SYNCER, self.virtual, self.host
        )
        for side in (self.virtual, self.host):
            side.attach([one for one in self.duty.informers if one._client is side])
            side.list_all()
        for one in self.duty.informers:
            one.synced.set()

    async def run(self) -> None:
        """One run, and one that must change nothing any more."""
        await self.duty.reconcile()
        self.virtual.forget_requests()
        self.host.forget_requests()
        await self.duty.reconcile()
        assert [*self.virtual.writes, *self.host.writes] == []

    def events(self) -> list[str]:
        return [one["message"] for one in self.virtual._all(("", "events")).values()]


@pytest.fixture
def world() -> World:
    return World()


def pg(**spec: Any) -> Obj:
    return syncing.service("pg", "data", **{"clusterIP": "10.96.0.50", "clusterIPs": ["10.96.0.50"], **spec})


def web(**spec: Any) -> Obj:
    return syncing.service("web", "shop", **{"clusterIP": "10.96.0.70", "selector": {"app": "web"}, **spec})


def leads_to(side: Side, namespace: str, name: str) -> list[str]:
    subsets = side.there(ENDPOINTS, namespace, name).get("subsets") or ()
    return [address["ip"] for subset in subsets for address in subset.get("addresses") or ()]


def endpoints(name: str, namespace: str, *addresses: str) -> Obj:
    found = {"addresses": [{"ip": one} for one in addresses], "ports": [{"name": "http", "port": 80}]}
    return syncing.obj(name, namespace, subsets=[found])


async def test_a_service_of_the_host_appears_with_its_namespace_follows_and_goes(world: World) -> None:
    world.virtual.without_namespace("shop")
    world.host.put(SERVICES, pg())
    await world.run()
    assert world.virtual.names(NAMESPACES) == ["shop"]
    assert world.virtual.there(SERVICES, "shop", "db")["spec"]["clusterIP"] == "None"
    assert leads_to(world.virtual, "shop", "db") == ["10.96.0.50"]
    world.host.drop(SERVICES, "data", "pg")
    world.host.put(SERVICES, pg(clusterIP="10.96.0.51", clusterIPs=["10.96.0.51"]))
    await world.run()
    assert leads_to(world.virtual, "shop", "db") == ["10.96.0.51"]
    world.host.drop(SERVICES, "data", "pg")
    await world.run()
    assert (world.virtual.names(SERVICES), world.virtual.names(ENDPOINTS)) == ([], [])


async def test_pods_behind_a_headless_service_of_the_host_are_followed(world: World) -> None:
    world.host.put(SERVICES, pg(clusterIP="None", clusterIPs=["None"]))
    world.host.put(ENDPOINTS, endpoints("pg", "data", "10.244.0.1"))
    await world.run()
    world.host.put(ENDPOINTS, endpoints("pg", "data", "10.244.0.2", "10.244.0.3"))
    await world.run()
    assert leads_to(world.virtual, "shop", "db") == ["10.244.0.2", "10.244.0.3"]


async def test_a_service_of_a_tenant_appears_on_the_host_follows_and_goes(world: World) -> None:
    world.virtual.put(SERVICES, web())
    await world.run()
    made = world.host.there(SERVICES, "team-x", "web")
    assert made["spec"]["selector"] == {"app": "web", labels.MANAGED_BY: "my-vc", labels.NAMESPACE: "shop"}
    world.virtual.put(SERVICES, web(selector={"app": "next"}))
    await world.run()
    assert world.host.there(SERVICES, "team-x", "web")["spec"]["selector"]["app"] == "next"
    world.virtual.put(SERVICES, web(clusterIP="None"))
    await world.run()
    again = world.host.there(SERVICES, "team-x", "web")
    assert (again["spec"]["clusterIP"], again["metadata"]["uid"] != made["metadata"]["uid"]) == ("None", True)
    world.virtual.drop(SERVICES, "shop", "web")
    await world.run()
    assert world.host.names(SERVICES) == []


async def test_a_tenants_service_without_selector_brings_its_endpoints(world: World) -> None:
    world.virtual.put(SERVICES, web(selector=None))
    world.virtual.put(ENDPOINTS, endpoints("web", "shop", "192.0.2.9"))
    await world.run()
    assert leads_to(world.host, "team-x", "web") == ["192.0.2.9"]


async def test_a_tenants_endpoints_stay_where_they_are_when_their_sync_is_off() -> None:
    world = World(VALUES + "sync: {toHost: {endpoints: {enabled: false}}}")
    world.virtual.put(SERVICES, web(selector=None))
    world.virtual.put(ENDPOINTS, endpoints("web", "shop", "192.0.2.9"))
    await world.run()
    assert world.host.names(SERVICES) == ["web"]
    assert world.host.names(ENDPOINTS) == []


@pytest.mark.parametrize("is_known", [True, False], ids=["before", "meanwhile"])
async def test_a_service_in_the_way_is_left_alone_and_the_tenant_hears_of_it(world: World, is_known: bool) -> None:
    theirs = world.virtual.put(SERVICES, syncing.service("db", "shop", clusterIP="10.96.0.80"))
    occupied = world.host.put(SERVICES, syncing.service("web", "team-x", clusterIP="10.96.0.81"))
    if is_known:
        world.start(VALUES)
    world.host.put(SERVICES, pg())
    world.virtual.put(SERVICES, web())
    await world.duty.reconcile()
    assert world.virtual.there(SERVICES, "shop", "db") == theirs
    assert world.host.there(SERVICES, "team-x", "web") == occupied
    assert (world.virtual.names(ENDPOINTS), world.host.names(ENDPOINTS)) == ([], [])
    above, below = sorted(world.events())
    assert "fromHost: Service data/pg of the host is not shown here" in above
    assert 'toHost: the host has another Service "web" in namespace "team-x"' in below
    about = [one["involvedObject"]["name"] for one in world.virtual._all((EVENTS.group, EVENTS.plural)).values()]
    assert sorted(about) == ["db", "web"]
    world.host.drop(SERVICES, "data", "pg")
    world.virtual.drop(SERVICES, "shop", "web")
    await world.run()
    assert world.virtual.there(SERVICES, "shop", "db") == theirs
    assert world.host.there(SERVICES, "team-x", "web") == occupied


async def test_a_replica_of_vcluster_is_taken_over(world: World) -> None:
    world.virtual.put(SERVICES, syncing.service("db", "shop", labels=MARKED, clusterIP="None"))
    world.start(VALUES)
    world.host.put(SERVICES, pg())
    await world.run()
    annotations = world.virtual.there(SERVICES, "shop", "db")["metadata"]["annotations"]
    assert annotations[replication.SOURCE] == "data/pg"


async def test_a_replica_that_does_not_say_of_what_is_not_deleted(world: World) -> None:
    world.virtual.put(SERVICES, syncing.service("db", "shop", labels=MARKED, clusterIP="None"))
    world.virtual.put(ENDPOINTS, syncing.obj("db", "shop", labels=MARKED, subsets=[]))
    await world.run()
    assert (world.virtual.names(SERVICES), world.virtual.names(ENDPOINTS)) == (["db"], ["db"])


async def test_what_the_configuration_names_no_longer_goes_and_nothing_else(world: World) -> None:
    world.host.put(SERVICES, pg())
    world.virtual.put(SERVICES, web())
    world.virtual.put(SERVICES, syncing.service("of-a-plugin", "shop", labels=MARKED))
    await world.run()
    world.start("")
    await world.run()
    assert world.host.names(SERVICES) == ["pg"]
    assert world.virtual.names(SERVICES) == ["of-a-plugin", "web"]


async def test_a_service_that_cannot_be_read_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicated_services, "_PATIENCE", 0.01)
    world.virtual.put(SERVICES, web())
    unread = next(one for one in world.duty.informers if one.query.namespace == "data")
    unread.synced.clear()
    unread.last_error = fake_side.error(403, "Forbidden", "services is forbidden")
    with pytest.raises(loops.NotYetError, match="fromHost: cannot read Service data/pg: services is forbidden"):
        await world.duty.reconcile()
    assert world.host.names(SERVICES) == ["web"]


async def test_attack_a_tenant_cannot_name_another_source_or_target(world: World) -> None:
    """What a tenant writes on his Services changes nothing about which ones are replicated; he may lose his own."""
    secret = syncing.service("secret", "data", clusterIP="10.96.0.99", clusterIPs=["10.96.0.99"])
    world.host.put(SERVICES, secret)
    forged = {replication.SOURCE: "data/secret"}
    world.virtual.put(SERVICES, syncing.service("mine", "shop", labels=MARKED, annotations=forged))
    world.virtual.put(SERVICES, web(labels=MARKED, annotations=forged))
    world.host.put(SERVICES, pg())
    await world.run()
    world.virtual.change(SERVICES, "shop", "db", {"metadata": {"annotations": forged}})
    world.virtual.put(ENDPOINTS, endpoints("db", "shop", "10.96.0.99"))
    await world.run()
    assert leads_to(world.virtual, "shop", "db") == ["10.96.0.50"]
    assert sorted(world.host.names(SERVICES)) == ["pg", "secret"]
    assert world.host.there(SERVICES, "data", "secret")["spec"] == secret["spec"]
    asked = {one.path for one in (*world.host.requests, *world.virtual.requests)}
    assert not any("secret" in path for path in asked)
