"""How long a pod takes to reach the host and its status to come back, at a steady rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench import load, observe
from bench.results import Aim, Line, percentiles
from bench.world import World

PART: Final = "latency"
#: The aims hold for this rate.
_AIMED: Final = 5
_DOWN: Final = Aim(most=10)
_UP: Final = Aim(most=25)


async def run(world: World) -> None:
    """Each rate in the virtual cluster, then on the host itself."""
    async with load.watched(world) as places:
        for rate, count in world.sizes.rates:
            names = [f"rate-{rate}-{number}" for number in range(count)]
            async with load.syncer_cpu(world, count) as cpu:
                await _pods(world, places.virtual, names, rate)
            await _pods(world, places.direct, names, rate)
            lines(world, places, names, where=f"{rate}/s", part=PART, is_aimed=rate == _AIMED)
            world.add(Line(part=PART, what=f"processor of the syncer per pod, {rate}/s", unit="ms", virtual=tuple(cpu)))
            for place in (places.virtual, places.direct):
                await place.all_gone(names, patience=world.sizes.patience)


async def _pods(world: World, place: load.Place, names: Sequence[str], rate: int) -> None:
    await load.at_rate(place.create, names, rate)
    await place.seen.wait(names, observe.RUNNING, patience=world.sizes.patience)


def lines(
    world: World, places: load.Places, names: Sequence[str], *, where: str, part: str, is_aimed: bool = False
) -> None:
    """Down, up, and the whole way, as percentiles over the pods."""
    above, beside = places.virtual.seen, places.direct.seen
    host = {name: world.host_name(name) for name in names}
    down = [places.below.at(host[name], observe.CREATED) - above.at(name, observe.CREATED) for name in names]
    up = [above.at(name, observe.RUNNING) - places.below.at(host[name], observe.RUNNING) for name in names]
    of = "p50 / p90 / p99"
    world.add(
        Line(
            part=part,
            what=f"down, {where}: created → host pod exists, {of}",
            unit="ms",
            virtual=percentiles(down),
            aim=_DOWN if is_aimed else None,
        )
    )
    world.add(
        Line(
            part=part,
            what=f"up, {where}: host Running → virtual Running, {of}",
            unit="ms",
            virtual=percentiles(up),
            aim=_UP if is_aimed else None,
        )
    )
    world.add(
        Line(
            part=part,
            what=f"created → Running, {where}, {of}",
            unit="ms",
            virtual=percentiles(_whole(above, names)),
            direct=percentiles(_whole(beside, names)),
        )
    )


def _whole(seen: observe.Recorder, names: Sequence[str]) -> list[float]:
    return [seen.at(name, observe.RUNNING) - seen.at(name, observe.CREATED) for name in names]
