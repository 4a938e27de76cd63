"""The parts of a run, by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bench import results, sizes
from bench.parts import burst, idle, latency, objects, pod, scale
from bench.world import World

Part = Callable[[World], Awaitable[None]]

#: They come first, while nothing else runs.
ALONE: Final[Mapping[str, Callable[[sizes.Sizes, results.Report], Awaitable[None]]]] = {"pod": pod.run}
#: They share a virtual cluster, which ``create`` makes.
PARTS: Final[Mapping[str, Part]] = {
    "idle": idle.run,
    "latency": latency.run,
    "burst": burst.run,
    "objects": objects.run,
    "scale": scale.run,
}
NAMES: Final = (*ALONE, *PARTS)
