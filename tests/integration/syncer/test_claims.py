"""Section 2.5 of the specification, on real API servers: claims whose host claim goes."""

from __future__ import annotations

from typing import Any

from nestling.kube import errors
from nestling.kube.resource import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, Obj
from nestling.naming import labels
from nestling.syncer import replacement
from tests.integration.syncer.sides import Sides, pod

CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
PROTECTION = "kubernetes.io/pvc-protection"
HOLD = "backup.example.com/hold"


def is_bound(one: Obj) -> bool:
    return bool((one.get("status") or {}).get("phase") == "Bound")


def is_running(one: Obj) -> bool:
    return bool((one.get("status") or {}).get("phase") == "Running")


def is_going(one: Obj) -> bool:
    return "deletionTimestamp" in one["metadata"]


def uid(one: Obj) -> str:
    return str(one["metadata"]["uid"])


async def used(sides: Sides, name: str, **meta: Any) -> tuple[Obj, Obj]:
    """A bound claim and a running pod of the same name that uses it, both as the tenant sees them."""
    await sides.create(PERSISTENT_VOLUME_CLAIMS, name, CLAIM, **meta)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]
    await sides.create(PODS, name, pod(volumes=volumes))
    running = await sides.above(PODS, name, is_running)
    return await sides.above(PERSISTENT_VOLUME_CLAIMS, name, is_bound), running


async def tear_away(sides: Sides, name: str) -> None:
    """Delete a host claim as somebody does who means it: without waiting for the pods that use it."""
    host_name, where = sides.host_name(name), sides.tenant.namespace
    await sides.host.delete(PERSISTENT_VOLUME_CLAIMS, host_name, where)
    try:
        bare = {"metadata": {"finalizers": None}}
        await sides.host.patch(PERSISTENT_VOLUME_CLAIMS, host_name, bare, where)
    except errors.NotFound:
        return


async def clean_up(sides: Sides, name: str) -> None:
    """Take the finalizer of the tenant off, and delete both."""
    await sides.virtual.delete(PODS, name, "default", grace_period_seconds=0)
    await sides.change(PERSISTENT_VOLUME_CLAIMS, name, {"metadata": {"finalizers": [PROTECTION]}})
    await sides.virtual.delete(PERSISTENT_VOLUME_CLAIMS, name, "default")
    await sides.gone_above(PERSISTENT_VOLUME_CLAIMS, name)
    await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, name)


async def test_2_5_a_claim_whose_host_claim_went_while_nobody_looked_binds_anew_and_its_pod_stays(sides: Sides) -> None:
    claim, running = await used(sides, "bereft", finalizers=[HOLD])
    host_pod = await sides.on_host(PODS, "bereft")
    old_volume = claim["spec"]["volumeName"]
    async with sides.cluster.without_syncer():
        await tear_away(sides, "bereft")
        await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "bereft")
    await sides.gone_above(PERSISTENT_VOLUMES, old_volume, namespace=None)
    fresh = await sides.above(PERSISTENT_VOLUME_CLAIMS, "bereft", lambda one: uid(one) != uid(claim) and is_bound(one))
    host = await sides.on_host(
        PERSISTENT_VOLUME_CLAIMS, "bereft", lambda one: one["metadata"]["annotations"][labels.OBJECT_UID] == uid(fresh)
    )
    assert fresh["spec"]["volumeName"] == host["spec"]["volumeName"] != old_volume
    assert set(fresh["metadata"]["finalizers"]) == {HOLD, PROTECTION}
    assert replacement.NOTE not in host["metadata"]["annotations"]
    volume = await sides.above(PERSISTENT_VOLUMES, fresh["spec"]["volumeName"], is_bound, namespace=None)
    assert volume["spec"]["claimRef"]["uid"] == uid(fresh)
    assert uid(await sides.above(PODS, "bereft", is_running)) == uid(running)
    assert uid(await sides.on_host(PODS, "bereft", is_running)) == uid(host_pod)
    await clean_up(sides, "bereft")
    await sides.gone_above(PERSISTENT_VOLUMES, fresh["spec"]["volumeName"], namespace=None)


async def test_2_5_a_claim_in_use_that_is_deleted_on_the_host_stays_until_its_pod_goes(sides: Sides) -> None:
    claim, running = await used(sides, "in-use")
    await sides.host.delete(PERSISTENT_VOLUME_CLAIMS, sides.host_name("in-use"), sides.tenant.namespace)
    going = await sides.above(PERSISTENT_VOLUME_CLAIMS, "in-use", is_going)
    assert uid(going) == uid(claim)
    assert uid(await sides.above(PODS, "in-use", is_running)) == uid(running)
    assert is_going(await sides.on_host(PERSISTENT_VOLUME_CLAIMS, "in-use"))
    await sides.virtual.delete(PODS, "in-use", "default", grace_period_seconds=0)
    await sides.gone_above(PERSISTENT_VOLUME_CLAIMS, "in-use")
    await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "in-use")
    await sides.gone_above(PERSISTENT_VOLUMES, claim["spec"]["volumeName"], namespace=None)


async def test_2_5_a_claim_that_a_tenants_finalizer_holds_keeps_its_data(sides: Sides) -> None:
    await sides.create(PERSISTENT_VOLUME_CLAIMS, "held", CLAIM, finalizers=[HOLD])
    await sides.above(PERSISTENT_VOLUME_CLAIMS, "held", is_bound)
    host = await sides.on_host(PERSISTENT_VOLUME_CLAIMS, "held", is_bound)
    await sides.virtual.delete(PERSISTENT_VOLUME_CLAIMS, "held", "default")
    async with sides.cluster.without_syncer():
        pass
    await sides.settled(PERSISTENT_VOLUME_CLAIMS, "held")
    after = await sides.on_host(PERSISTENT_VOLUME_CLAIMS, "held")
    assert (uid(after), is_going(after)) == (uid(host), False)
    await sides.change(PERSISTENT_VOLUME_CLAIMS, "held", {"metadata": {"finalizers": None}})
    await sides.gone_above(PERSISTENT_VOLUME_CLAIMS, "held")
    await sides.gone_on_host(PERSISTENT_VOLUME_CLAIMS, "held")
