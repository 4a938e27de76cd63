"""Run the benchmark: ``python -m bench [PART …] [--quick] [--json FILE]``.

It makes an embedded host and a virtual cluster in a folder of its own, loads them over loopback, says what it finds
and removes everything. Numbers are worth reading only from a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path

from bench import report, results, sizes, world
from bench.parts import ALONE, NAMES, PARTS, create


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(NAMES)}; all when left out")
    parser.add_argument("--quick", action="store_true", help="small numbers: a minute or two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.parts if name not in NAMES]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; choose some of: {', '.join(NAMES)}")
    import uvloop

    found = uvloop.run(run(given.parts or NAMES, sizes.QUICK if given.quick else sizes.FULL))
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(results.to_json(found), encoding="utf-8")
    print(report.text(found))
    return 1 if found.failures else 0


async def run(parts: Sequence[str], wanted: sizes.Sizes) -> results.Report:
    """All of it."""
    found = results.Report(about=_about())
    started = time.monotonic()
    for name in (name for name in ALONE if name in parts):
        await _part(name, found, ALONE[name](wanted, found))
    if any(name in PARTS for name in parts):
        await _together([name for name in PARTS if name in parts], wanted, found)
    found.about["load average at the end"] = _load()
    found.about["whole run"] = f"{time.monotonic() - started:.0f} s"
    return found


async def _together(parts: Sequence[str], wanted: sizes.Sizes, found: results.Report) -> None:
    """Those that share a virtual cluster."""
    async with world.started(wanted, found) as made:
        world.say("create")
        tenant = await create.run(made)
        async with made.opened(tenant):
            for name in parts:
                await _part(name, found, PARTS[name](made))


async def _part(name: str, found: results.Report, work: Awaitable[None]) -> None:
    """One part. If it fails, what the others found still counts."""
    world.say(name)
    try:
        await work
    except Exception as error:  # noqa: BLE001 - recorded, and the exit code says it
        found.failures[name] = "; ".join(_causes(error))
        world.say(f"  {name} failed: {found.failures[name]}")


def _causes(error: BaseException) -> list[str]:
    """What is in a group of exceptions, however deep."""
    if isinstance(error, BaseExceptionGroup):
        return [text for one in error.exceptions for text in _causes(one)]
    return [f"{type(error).__name__}: {error}"]


def _about() -> dict[str, str]:
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "Python": platform.python_version(),
        "load average at the start": _load(),
    }


def _load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
