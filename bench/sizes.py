"""How much of everything a run does."""

from __future__ import annotations

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Numbers of objects, and seconds."""

    #: Virtual clusters that are made one after the other; the last one stays.
    creates: int
    #: (pods per second, pods) of each steady load.
    rates: tuple[tuple[int, int], ...]
    burst: int
    config_maps: int
    services: int
    #: (requests per second, Secrets) of the load on the API alone.
    secrets: tuple[int, int]
    #: Pods that run when the syncer is killed.
    pods: int
    #: They are created so many at a time.
    page: int
    #: How long an idle moment is watched.
    idle_seconds: float
    #: Is the syncer's own drift scan, which comes once a minute, waited for?
    waits_for_scan: bool
    #: Simulated nodes of 1,000 pods each.
    nodes: int
    #: The most that anything may take.
    patience: float


FULL: Final = Sizes(
    creates=2,
    rates=((5, 75), (20, 200)),
    burst=400,
    config_maps=2000,
    services=500,
    secrets=(200, 5000),
    pods=5000,
    page=500,
    idle_seconds=10.0,
    waits_for_scan=True,
    nodes=10,
    patience=420.0,
)
QUICK: Final = Sizes(
    creates=1,
    rates=((5, 40), (20, 100)),
    burst=200,
    config_maps=300,
    services=100,
    secrets=(200, 1000),
    pods=600,
    page=200,
    idle_seconds=4.0,
    waits_for_scan=False,
    nodes=4,
    patience=180.0,
)
#: Shows that everything works, and nothing else.
TINY: Final = Sizes(
    creates=1,
    rates=((20, 6),),
    burst=12,
    config_maps=6,
    services=3,
    secrets=(100, 20),
    pods=20,
    page=10,
    idle_seconds=0.2,
    waits_for_scan=False,
    nodes=2,
    patience=120.0,
)
