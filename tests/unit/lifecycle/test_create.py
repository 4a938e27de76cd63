from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path

import pytest

from nestling.config import errors as config_errors
from nestling.config import load
from nestling.drivers import errors
from nestling.lifecycle import connect, create
from tests.unit.lifecycle import fakes


def wish(name: str = "my-vc", **more: object) -> create.Wish:
    return dataclasses.replace(create.Wish(name), **more)  # type: ignore[arg-type]  # names of the fields


def test_the_namespace_is_made_of_the_name_unless_one_is_given() -> None:
    assert create.check(wish(), namespace=None).namespace == "vcluster-my-vc"
    assert create.check(wish(), namespace="team").namespace == "team"


def test_all_problems_of_the_values_are_told_before_anything_is_made() -> None:
    source = load.Source("v.yaml", "sync:\n  toHots: {}\ncontrolPlane:\n  nonsense: 1\n")
    with pytest.raises(config_errors.ConfigError) as caught:
        create.check(wish(sources=(source,)), namespace=None)
    assert "toHots" in str(caught.value)
    assert "nonsense" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sync: {fromHost: {customResources: {a.b.c: {enabled: true}}}}", "sync.fromHost.customResources"),
        ("sync: {toHost: {pods: {patches: [{path: a, expression: b}]}}}", "sync.toHost.pods.patches"),
        ("sync: {toHost: {gatewayApi: {enabled: true}}}", "sync.toHost.gatewayApi.enabled"),
        ("sleep: {auto: {afterInactivity: 1h}}", "sleep.auto.afterInactivity"),
    ],
)
def test_52_what_does_not_exist_is_refused_with_its_key_before_anything_is_made(text: str, key: str) -> None:
    """Those that vCluster's program takes and its licence refuses after the start."""
    refusal = rf"v\.yaml.*{re.escape(key)}.*is not available yet\n +remove it"
    with pytest.raises(config_errors.ConfigError, match=refusal):
        create.check(wish(sources=(load.Source("v.yaml", text),)), namespace=None)


def test_broken_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(config_errors.ConfigError, match=r"v\.yaml:3"):
        create.check(wish(sources=(load.Source("v.yaml", "a:\n - b: [\n"),)), namespace=None)


def test_the_kubernetes_version_becomes_a_value() -> None:
    request = create.check(wish(kubernetes_version="1.34"), namespace=None)
    assert request.config.control_plane.distro.k8s.version == "1.34"
    assert "1.34" in request.values


def test_values_that_only_the_name_makes_wrong_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "load", functools.partial(load.load, refuse_unsupported=False))
    text = "sync: {toHost: {namespaces: {enabled: true, mappings: {byName: {x-*: vcluster-my-*}}}}}"
    with pytest.raises(config_errors.ConfigError, match="covers the namespace of the control plane"):
        create.check(wish(sources=(load.Source("v", text),)), namespace=None)
    assert create.check(wish(sources=(load.Source("v", text),)), namespace="team").namespace == "team"


def test_one_source_is_kept_as_it_was_written() -> None:
    text = "# mine\nsync: {}\n"
    assert create.check(wish(sources=(load.Source("v", text),)), namespace=None).user_values == text


async def test_a_taken_name_is_refused_with_what_to_do(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    with pytest.raises(errors.UserError, match=r"exists already in the namespace vcluster-my-vc.*--upgrade"):
        await create.create(create.check(wish(), namespace=None), current)
    assert driver.calls == []


async def test_upgrade_changes_the_one_that_exists(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster("my-vc", "team"))
    await create.create(create.check(wish(upgrade=True), namespace=None), current)
    assert driver.calls == ["upgrade my-vc in team"]


async def test_upgrade_creates_the_one_that_does_not_exist(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path)
    await create.create(create.check(wish(upgrade=True), namespace=None), current)
    assert driver.calls == ["create my-vc"]


async def test_a_half_made_one_is_made_anew(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster(status="Failed"))
    await create.create(create.check(wish(), namespace=None), current)
    assert driver.calls == ["create my-vc"]


async def test_create_and_connect_switches(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path)
    await create.create_and_connect(create.check(wish(), namespace=None), current, connect.Access())
    assert current.files.current_context() == fakes.cluster().context_name


async def test_without_update_current_the_context_is_only_added(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path)
    request = create.check(wish(), namespace=None)
    await create.create_and_connect(request, current, connect.Access(), make_current=False)
    assert current.files.contexts() == [fakes.cluster().context_name]
    assert current.files.current_context() == ""


async def test_a_kubeconfig_that_cannot_be_written_stops_create_before_anything_is_made(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path)
    current.files.paths[0].write_text("clusters: {")
    with pytest.raises(errors.UserError, match="cannot be understood"):
        await create.create_and_connect(create.check(wish(), namespace=None), current, connect.Access())
    assert driver.calls == []


async def test_what_was_created_goes_again_when_connecting_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current, driver = fakes.new_session(tmp_path)

    def refuse(*_: object, **__: object) -> Path:
        raise errors.UserError("no")

    monkeypatch.setattr(connect, "switch", refuse)
    with pytest.raises(errors.UserError, match="no"):
        await create.create_and_connect(create.check(wish(), namespace=None), current, connect.Access())
    assert driver.calls == ["create my-vc", "delete my-vc"]


async def test_an_existing_one_stays_when_connecting_after_an_upgrade_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())

    def refuse(*_: object, **__: object) -> Path:
        raise errors.UserError("no")

    monkeypatch.setattr(connect, "switch", refuse)
    with pytest.raises(errors.UserError, match="no"):
        await create.create_and_connect(create.check(wish(upgrade=True), namespace=None), current, connect.Access())
    assert driver.calls == ["upgrade my-vc in vcluster-my-vc"]
