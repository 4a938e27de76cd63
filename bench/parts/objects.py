"""Thousands of ConfigMaps and hundreds of Services that pods use, and thousands of Secrets that nobody uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from bench import load, observe, results
from bench.results import Aim, Line
from bench.world import DIRECT, NAMESPACE, World
from nestling.kube import client
from nestling.kube.resource import CONFIG_MAPS, PODS, SECRETS, SERVICES, Obj, Resource

PART: Final = "objects"
#: ConfigMaps that one pod uses.
_OF_ONE_POD: Final = 200
#: Of the average answer, in milliseconds: the best of what others have measured with the stores of vCluster.
_ANSWER: Final = Aim(most=150)


async def run(world: World) -> None:
    """Each kind on the host itself, then in the virtual cluster."""
    names = [f"config-{number}" for number in range(world.sizes.config_maps)]
    users = [names[start : start + _OF_ONE_POD] for start in range(0, len(names), _OF_ONE_POD)]
    for number, used in enumerate(users):
        # what nothing uses is not synced
        await world.virtual.create(PODS, _user(f"user-{number}", used), NAMESPACE)
    await _kind(world, CONFIG_MAPS, names, _config_map)
    await _kind(world, SERVICES, [f"service-{number}" for number in range(world.sizes.services)], _service)
    for number in range(len(users)):
        await world.virtual.delete(PODS, f"user-{number}", NAMESPACE)
    await _answers(world)


async def _answers(world: World) -> None:
    """What the API with its store does by itself: these Secrets stay in the virtual cluster, as nothing uses them."""
    rate, count = world.sizes.secrets
    names = [f"secret-{number}" for number in range(count)]
    direct = await _answered(world.host, DIRECT, names, rate)
    await _removed(world.host, DIRECT, SECRETS, names)
    virtual = await _answered(world.virtual, NAMESPACE, names, rate)
    await _removed(world.virtual, NAMESPACE, SECRETS, names)
    what = f"{count} Secrets at {rate}/s: answer of the API, average / p99"
    found = (results.answers(virtual), results.answers(direct))
    world.add(Line(part=PART, what=what, unit="ms", virtual=found[0], direct=found[1], aim=_ANSWER))


async def _answered(api: client.Client, namespace: str, names: Sequence[str], rate: int) -> list[float]:
    """How long each answer took, from the moment at which it was its turn."""
    took: list[float] = []

    async def create(name: str) -> None:
        started = time.monotonic()
        await api.create(SECRETS, _secret(name), namespace)
        took.append(time.monotonic() - started)

    await load.at_rate(create, names, rate)
    return took


async def _kind(world: World, resource: Resource, names: Sequence[str], body: Callable[[str], Obj]) -> None:
    below = observe.Recorder(world.host, resource, world.namespace)
    host_names = [world.host_name(name) for name in names]
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(below.run())
        await below.ready()
        direct = await _created(world.host, DIRECT, resource, names, body)
        async with load.syncer_cpu(world, len(names)) as cpu:
            started = time.monotonic()
            await _created(world.virtual, NAMESPACE, resource, names, body)
            await below.wait(host_names, observe.CREATED, patience=world.sizes.patience)
        virtual = below.last(host_names, observe.CREATED) - started
        await _removed(world.host, DIRECT, resource, names)
        await _removed(world.virtual, NAMESPACE, resource, names)
        await below.wait(host_names, observe.GONE, patience=world.sizes.patience)
        watching.cancel()
    what = f"{len(names)} {resource.kind}s: all on the host"
    world.add(Line(part=PART, what=what, unit="s", virtual=(virtual,), direct=(direct,)))
    what = f"processor of the syncer per {resource.kind}"
    world.add(Line(part=PART, what=what, unit="ms", virtual=tuple(cpu)))


async def _created(
    api: client.Client, namespace: str, resource: Resource, names: Sequence[str], body: Callable[[str], Obj]
) -> float:
    async def create(name: str) -> None:
        await api.create(resource, body(name), namespace)

    started = time.monotonic()
    await load.together(create, names)
    return time.monotonic() - started


async def _removed(api: client.Client, namespace: str, resource: Resource, names: Sequence[str]) -> None:
    """What stayed would weigh on the pods of later parts: 500 Services are 4,000 variables of each container."""

    async def delete(name: str) -> None:
        await api.delete(resource, name, namespace)

    await load.together(delete, names)


def _user(name: str, used: Sequence[str]) -> Obj:
    made = load.pod(name)
    sources = [{"configMapRef": {"name": one, "optional": True}} for one in used]
    made["spec"]["containers"][0]["envFrom"] = sources
    return made


def _config_map(name: str) -> Obj:
    return {"metadata": {"name": name, "labels": {"app": "web"}}, "data": {"settings": "some text\n" * 20}}


def _secret(name: str) -> Obj:
    return {"metadata": {"name": name}, "stringData": {"password": "some text\n" * 10}}


def _service(name: str) -> Obj:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {"metadata": {"name": name, "labels": {"app": "web"}}, "spec": {"selector": {"app": name}, "ports": ports}}
