"""The store of a virtual cluster is full: said plainly, nothing is lost, and it goes on once there is room."""

from __future__ import annotations

import json
import random
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from nestling.kube import errors
from nestling.kube.resource import CONFIG_MAPS, PODS, Obj
from tests.support import chaos, chaos_objects, envtest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

#: The smallest that etcd takes: it then refuses writes as it does on a full disk with the default quota.
_QUOTA = 4 * 1024**2


def etcd(cluster: envtest.Cluster, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(cluster._etcd_url + path, data=json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def make_room(cluster: envtest.Cluster) -> None:
    """What an operator does: compact, give the space back, lift the alarm."""
    cluster.compact()
    etcd(cluster, "/v3/maintenance/defragment", {})
    alarms = etcd(cluster, "/v3/maintenance/alarm", {"action": "GET"}).get("alarms", ())
    for alarm in alarms:
        etcd(cluster, "/v3/maintenance/alarm", {"action": "DEACTIVATE", "memberID": alarm["memberID"], **alarm})


def big(number: int) -> Obj:
    data = {"filler": "x" * 400_000}
    return {"metadata": {"name": f"filler-{number}", "namespace": "default"}, "data": data}


async def fill(world: chaos.World) -> tuple[int, errors.ApiError]:
    for number in range(100):
        try:
            await world.virtual.api.create(CONFIG_MAPS, big(number))
        except errors.ApiError as error:
            return number, error
    raise AssertionError("the store never filled up")


async def test_a_full_store_is_said_and_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETCD_QUOTA_BACKEND_BYTES", str(_QUOTA))
    async with chaos.world(tmp_path, seed=1) as world:
        rng = random.Random(1)
        pod = chaos_objects.random_object(rng, PODS, "default", "web")
        created = await world.virtual.api.create(PODS, pod)
        world.ledger.created(PODS, created)
        await world.settle()

        count, error = await fill(world)
        assert "database space exceeded" in error.message

        # the host goes on, and what happens there waits for room in the virtual store
        host_pod = (await world.host.api.list(PODS, chaos.TENANT.namespace))[0]
        await world.fake.set_status(host_pod, restarts=7)
        assert (
            host_pod["metadata"]["uid"]
            == (await world.host.api.list(PODS, chaos.TENANT.namespace))[0]["metadata"]["uid"]
        )

        for number in range(count):
            await _delete_despite_alarm(world, number)
        await world.settle()
        (shown,) = [one for one in await world.virtual.api.list(PODS, "default") if one["metadata"]["name"] == "web"]
        assert shown["status"]["containerStatuses"][0]["restartCount"] == 7
        assert shown["metadata"]["uid"] == created["metadata"]["uid"]


async def _delete_despite_alarm(world: chaos.World, number: int) -> None:
    """Deletions are writes too: the first one needs the alarm lifted."""
    try:
        await world.virtual.api.delete(CONFIG_MAPS, f"filler-{number}", "default")
    except errors.ApiError:
        make_room(world.virtual.cluster)
        await world.virtual.api.delete(CONFIG_MAPS, f"filler-{number}", "default")
    make_room(world.virtual.cluster)
