"""The parts of a run, by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bench.parts import burst, idle, latency, objects, pod, scale
from bench.world import World

Part = Callable[[World], Awaitable[None]]

#: ``create`` is always run: the others need a virtual cluster.
PARTS: Final[Mapping[str, Part]] = {
    "idle": idle.run,
    "latency": latency.run,
    "burst": burst.run,
    "objects": objects.run,
    "scale": scale.run,
    "pod": pod.run,
}
