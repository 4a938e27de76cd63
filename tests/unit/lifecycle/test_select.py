from __future__ import annotations

import json
from pathlib import Path

import pytest

from nestling.drivers import errors
from nestling.lifecycle import select


def test_the_flag_decides_first() -> None:
    configured = select.Choice("helm", "a file")
    assert select.choose(flag="local", configured=configured, current_context="prod").driver == "local"


@pytest.mark.parametrize("context", ["", "nestling-default", "vcluster_my-vc_vcluster-my-vc_nestling-default"])
def test_without_a_cluster_of_ones_own_the_driver_is_local_and_helms_are_found_too(context: str) -> None:
    found = select.choose(flag=None, configured=None, current_context=context)
    assert (found.driver, found.either) == ("local", True)


@pytest.mark.parametrize("context", ["prod", "vcluster_a_b_prod"])
def test_with_a_context_of_a_cluster_the_driver_is_helm(context: str) -> None:
    found = select.choose(flag=None, configured=None, current_context=context)
    assert (found.driver, found.either) == ("helm", False)


@pytest.mark.parametrize("driver", ["local", "helm"])
def test_who_chooses_a_driver_gets_that_and_no_other(driver: str) -> None:
    chosen = select.Choice(driver, "a file")
    assert select.choose(flag=None, configured=chosen, current_context="") == chosen
    assert select.choose(flag=driver, configured=None, current_context="").either is False


def test_an_unknown_driver_is_refused_with_those_that_exist() -> None:
    with pytest.raises(errors.UserError, match="drivers are local, helm"):
        select.choose(flag="docker", configured=None, current_context="")


def test_the_settings_file_of_nestling_comes_before_that_of_vcluster(tmp_path: Path) -> None:
    vcluster = tmp_path / ".vcluster" / "config.json"
    vcluster.parent.mkdir()
    vcluster.write_text(json.dumps({"driver": {"type": "helm"}, "telemetryDisabled": True}))
    environ = {"HOME": str(tmp_path)}
    found = select.configured(tmp_path / "nestling", None, environ)
    assert found == select.Choice("helm", str(vcluster))
    select.write_driver(tmp_path / "nestling" / "config.json", "local")
    found = select.configured(tmp_path / "nestling", None, environ)
    assert found is not None
    assert found.driver == "local"


def test_without_settings_nothing_is_chosen(tmp_path: Path) -> None:
    assert select.configured(tmp_path, None, {"HOME": str(tmp_path)}) is None


def test_writing_the_driver_keeps_other_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"platform": {"x": 1}}')
    select.write_driver(path, "local")
    assert json.loads(path.read_text()) == {"platform": {"x": 1}, "driver": {"type": "local"}}


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(errors.UserError, match=r"config\.json is not JSON"):
        select.configured(tmp_path, None, {"HOME": str(tmp_path)})


def test_the_parent_context_is_the_end_of_the_name() -> None:
    assert select.parent_context("vcluster_a_ns_arn:aws:eks_prod") == "arn:aws:eks_prod"
    assert select.parent_context("prod") == ""


def test_a_context_names_the_embedded_host() -> None:
    assert select.host_of("nestling-two") == "two"
    assert select.host_of("vcluster_a_ns_nestling-two") == "two"
    assert select.host_of("prod") is None
    assert select.host_of("vcluster_a_ns_prod") is None
