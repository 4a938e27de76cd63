"""What the supervisor runs: a plan, written as JSON by whoever prepares the processes.

Standard library only: the supervisor imports this module and nothing else of the package, so that it stays small.
Keys and passwords are in files that the command lines name; a plan is private (0600) all the same, because kine takes
the address of its database, which may hold a password, from the environment only.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Echo = Literal["none", "console", "json"]


class PlanError(ValueError):
    """A plan that cannot be run; the message says which component and why."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question asked of a component: `https://…` and `http://…` must answer 200, `tcp://host:port` must accept."""

    url: str
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    period_seconds: float = 10.0
    """Pause between two probes once the component is ready; before that they follow each other quickly."""
    timeout_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Component:
    """One process: how to start it, when it counts as ready, how to stop it."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the supervisor's own environment."""
    log_file: str | None = None
    ready: Probe | None = None
    """Without a probe a component is ready when it runs, or, with `restart=False`, when it has ended well."""
    after: tuple[str, ...] = ()
    """Components that must be ready before the first start; their later restarts do not restart this one."""
    uses: tuple[str, ...] = ()
    """Components that it talks to but need not wait for: like those in `after` they are stopped later than it."""
    stop_seconds: float = 10.0
    """Time between SIGTERM and SIGKILL."""
    restart: bool = True
    """False for a task: it runs once, and when it fails everything is stopped."""
    alive: Probe | None = None
    """Decides about a stuck process; the readiness probe where absent. Leave out here what a restart cannot heal."""
    stuck_seconds: float | None = 60.0
    """A process whose `alive` probe fails for so long is killed and restarted; None switches that off."""
    start_seconds: float = 180.0
    """The same before the first success: a first start may have data to load."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The components of one supervisor and where it keeps its state."""

    name: str
    state_dir: str
    """Folder of `supervisor.json`, `status.json` and the lock; one supervisor at a time."""
    components: tuple[Component, ...]
    echo: Echo = "none"
    """Repeat each component's lines on standard output, with its name: what a pod wants."""
    max_log_bytes: int = 10 * 1024 * 1024
    """Size of a log file before it becomes `FILE.1`, replacing the one before."""
    max_restarts: int | None = None
    """Give up, stop everything and exit with an error after so many restarts of one component in a row."""


def to_json(plan: Plan) -> str:
    """The plan as the JSON text that `from_json` reads."""
    return json.dumps(dataclasses.asdict(plan), indent=2, sort_keys=True) + "\n"


def from_json(text: str) -> Plan:
    """Read a plan; raises `PlanError` for an unknown key, a missing key or a reference to nothing."""
    try:
        values: dict[str, Any] = json.loads(text)
        components = tuple(_component(entry) for entry in values.pop("components"))
        plan = Plan(components=components, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlanError(f"not a plan: {error!r}") from error
    check(plan)
    return plan


def load(path: Path) -> Plan:
    """Read a plan from a file; raises `PlanError`, which names the file."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, PlanError) as error:
        raise PlanError(f"{path}: {error}") from error


def check(plan: Plan) -> None:
    """Raise `PlanError` unless names are unique and every `after` leads, without a circle, to a component."""
    names = [component.name for component in plan.components]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise PlanError(f"component names must be unique; more than one is called {', '.join(sorted(doubles))}")
    for component in plan.components:
        if not component.argv:
            raise PlanError(f"component {component.name}: argv is empty")
        if unknown := {*component.after, *component.uses} - set(names):
            raise PlanError(f"component {component.name} refers to unknown components: {', '.join(sorted(unknown))}")
    start_order(plan.components)


def start_order(components: tuple[Component, ...]) -> tuple[str, ...]:
    """The names so that each follows what it waits for or uses; raises `PlanError` on a circle."""
    order: list[str] = []
    waiting = list(components)
    while waiting:
        free = [component for component in waiting if {*component.after, *component.uses} <= set(order)]
        if not free:
            circle = ", ".join(component.name for component in waiting)
            raise PlanError(f"components wait for each other in a circle: {circle}")
        order.extend(component.name for component in free)
        waiting = [component for component in waiting if component not in free]
    return tuple(order)


def dependants(plan: Plan, name: str) -> tuple[str, ...]:
    """The components that wait for or use the one named: those that are stopped before it."""
    return tuple(component.name for component in plan.components if name in {*component.after, *component.uses})


def _component(values: dict[str, Any]) -> Component:
    values = dict(values)
    for key in ("argv", "after", "uses"):
        if key in values:
            values[key] = tuple(values[key])
    for key in ("ready", "alive"):
        if values.get(key) is not None:
            values[key] = Probe(**values[key])
    return Component(**values)
