"""A real ``go build`` from the pinned modules, of the smallest of them."""

from __future__ import annotations

import dataclasses
import os
import pathlib

import pytest

from nestling.binaries import catalogue, chain, gobuild, installed, progress, versions
from nestling.binaries import settings as settings_

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),
    pytest.mark.skipif(gobuild.find_go(os.environ.get("PATH", "")) is None, reason="needs go"),
]


def test_etcd_is_built_when_nothing_can_be_downloaded(tmp_path: pathlib.Path) -> None:
    nobody = "http://127.0.0.1:1"
    chosen = dataclasses.replace(settings_.Settings.from_env(), cache_dir=tmp_path, mirror=nobody, bin_dir=None)
    steps: list[progress.Step] = []
    path = chain.ensure(["etcd"], settings=chosen, progress=steps.append)["etcd"]
    assert installed.told(path, ("--version",)) == versions.numbers(versions.ETCD)
    started = [step.what for step in steps if step.state == "started"]
    assert started == [
        f"downloading etcd {versions.ETCD} from 127.0.0.1:1",
        f"building etcd {versions.ETCD} with go (first time, takes minutes)",
    ]
    found = chain.Chain(chosen)
    assert found.source(catalogue.binary("etcd", "")) == "go build, tools/etcd"
    assert sorted(one.name for one in path.parent.iterdir()) == [".etcd.json", ".etcd.lock", "etcd"]
