from __future__ import annotations

from pathlib import Path

import pytest

from nestling.config import errors, fields, legacy, model
from tests.unit.config.support import problem, problems, where

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("path", legacy.REPLACED, ids=errors.dotted)
def test_each_old_key_is_named_with_its_replacement(path: tuple[str, ...]) -> None:
    values: dict[str, object] = {path[-1]: "anything"}
    for key in reversed(path[:-1]):
        values = {key: values}
    kept, (finding,) = legacy.take_out(values)
    assert finding.path == path
    assert finding.message == "is a key of an older release"
    assert finding.hint == legacy.REPLACED[path]
    assert path[-1] not in str(kept)


def test_no_old_key_is_a_key_of_today_unless_the_chart_refuses_it() -> None:
    refused = {"volumeSnapshots", "volumeSnapshotContents", "volumeSnapshotClasses", "volumeSnapshotController"}
    today = [path for path in legacy.REPLACED if fields.find(model.VClusterConfig, path) is not None]
    assert {path[-1] for path in today} == refused | {"enableVolumeSnapshotRules"}


@pytest.mark.parametrize("path", legacy.REPLACED, ids=errors.dotted)
def test_replacements_exist(path: tuple[str, ...]) -> None:
    known = {errors.dotted(one) for one, _ in fields.walk(model.VClusterConfig)} | {"networking.replicateServices"}
    words = [word.strip(",():;") for word in legacy.REPLACED[path].split()]
    tops = set(fields.of(model.VClusterConfig))
    for word in words:
        if "." in word and word.split(".")[0] in tops and "type" not in word:
            assert word.rstrip(".") in known


def test_the_most_exact_old_key_is_named() -> None:
    assert where("isolation: {limitRange: {enabled: true}, resourceQuota: {enabled: true}}") == [
        "isolation.limitRange",
        "isolation.resourceQuota",
    ]


def test_unknown_keys_below_an_old_one_are_named_by_it() -> None:
    found = problem("syncer: {something: 1}")
    assert (found.path, found.hint) == ("syncer", "write controlPlane.statefulSet")
    assert where("syncer: {something: 1, env: []}") == ["syncer.env", "syncer.something"]


def test_old_and_new_keys_of_sync_side_by_side() -> None:
    assert where("sync: {ingresses: {enabled: true}, toHost: {pods: {enabled: true}}}") == ["sync.ingresses"]


@pytest.mark.parametrize("distro", ["k3s", "k0s", "eks"])
def test_removed_distributions(distro: str) -> None:
    found = problem(f"controlPlane: {{distro: {{{distro}: {{enabled: true}}}}}}")
    assert "stock Kubernetes" in found.hint


@pytest.mark.parametrize(
    "text",
    [
        "sync: {toHost: {volumeSnapshots: {enabled: false}}}",
        "sync: {toHost: {volumeSnapshotContents: {enabled: true}}}",
        "sync: {fromHost: {volumeSnapshotClasses: {enabled: true}}}",
        "deploy: {volumeSnapshotController: {enabled: true}}",
        "rbac: {enableVolumeSnapshotRules: {enabled: auto}}",
    ],
)
def test_snapshot_keys_that_were_removed_are_refused_as_the_chart_does(text: str) -> None:
    assert problem(text).hint == "remove it: VolumeSnapshots are no longer synced"


def test_the_values_of_the_first_chart_of_2021() -> None:
    found = {one.path: one.hint for one in problems((DATA / "chart-2021.yaml").read_text())}
    assert found == {
        "virtualCluster.image": "write controlPlane.distro.k8s.version",
        "virtualCluster.extraArgs": legacy.REPLACED["virtualCluster", "extraArgs"],
        "virtualCluster.baseArgs": legacy.REPLACED["virtualCluster", "baseArgs"],
        "storage.size": "write controlPlane.statefulSet.persistence.volumeClaim.size",
        "syncer.extraArgs": legacy.REPLACED["syncer", "extraArgs"],
    }


def test_null_counts_as_not_written() -> None:
    assert legacy.take_out({"syncer": None, "sync": {"ingresses": None}})[1] == []
