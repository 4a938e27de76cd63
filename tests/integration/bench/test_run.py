"""The benchmark with tiny numbers: every part runs, says every line, and leaves nothing behind."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest

from bench import __main__ as program
from bench import parts, sizes
from tests.support import host as host_support

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

#: One measure of each kind that must be there, by part.
EXPECTED = {
    "create": ("until the API is usable",),
    "idle": ("supervisor + syncer: RSS", "whole virtual control plane: processor"),
    "latency": ("down, 20/s", "up, 20/s", "created → Running, 20/s", "processor of the syncer per pod"),
    "burst": (
        "all on the host",
        "all Running",
        "up, burst of 12",
        "delete of 12",
        "per deleted pod",
        "without a syncer",
    ),
    "objects": ("6 ConfigMaps", "3 Services", "20 Secrets at 100/s: answer of the API"),
    "scale": (
        "20 pods: all Running",
        "the same per pod",
        "memory per synced pod",
        "syncer killed, 20 pods",
        "after the restart",
    ),
}


async def test_every_part_says_every_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with host_support.slot():
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        found = await program.run(parts.NAMES, sizes.TINY)
    assert found.failures == {}
    for part, texts in EXPECTED.items():
        said = [line.what for line in found.lines if line.part == part]
        missing = [text for text in texts if not any(text in what for what in said)]
        assert not missing, (part, said)
    assert not [line.what for line in found.lines if any(map(math.isnan, line.virtual))]
    sides = {(one.when, one.side, one.process) for one in found.weights}
    assert {("idle", "virtual", "syncer"), ("idle", "virtual", "supervisor"), ("burst", "host", "etcd")} <= sides
    assert {"idle", "before 20 pods", "idle, 20 pods"} <= {one.when for one in found.stores}
    assert all(0 < one.used_mb <= one.database_mb < one.folder_mb for one in found.stores)
    assert content(tmp_path) == []


def content(folder: Path) -> list[Path]:
    return list(folder.iterdir())
