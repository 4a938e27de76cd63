from __future__ import annotations

import pathlib

import pytest

from nestling.binaries import catalogue, errors, settings, versions


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, versions.DEFAULT_KUBERNETES),
        ("", versions.DEFAULT_KUBERNETES),
        ("1.34", "v1.34.4"),
        ("v1.34", "v1.34.4"),
        ("1.34.4", "v1.34.4"),
        (" v1.34.4 ", "v1.34.4"),
    ],
)
def test_resolve(written: str | None, meant: str) -> None:
    assert versions.resolve(written) == meant


@pytest.mark.parametrize("written", ["1.29", "2.0", "v1.99.1", "latest", "1.34.4-rc.1", "1.34.x", "v1"])
def test_refusal_lists_what_is_offered(written: str) -> None:
    with pytest.raises(errors.UnknownVersionError) as refusal:
        versions.resolve(written)
    assert all(offered in str(refusal.value) for offered in versions.KUBERNETES)
    assert written in str(refusal.value)


def test_refusal_of_another_patch_says_what_to_write() -> None:
    with pytest.raises(errors.UnknownVersionError, match=r"v1\.34\.4 is offered: write 1\.34\."):
        versions.resolve("1.34.1")


def test_every_offered_minor_once_and_default_offered() -> None:
    minors = [versions.minor(version) for version in versions.KUBERNETES]
    assert minors == ["1.32", "1.33", "1.34", "1.35", "1.36"]
    assert versions.DEFAULT_KUBERNETES in versions.KUBERNETES


def test_unknown_name_lists_known_ones() -> None:
    with pytest.raises(errors.UnknownBinaryError, match="'kubeapi' is not a known binary; known are kube-apiserver, "):
        catalogue.binary("kubeapi", versions.DEFAULT_KUBERNETES)


@pytest.mark.parametrize("module", catalogue.modules(), ids=lambda module: module.folder)
def test_pinned_module_agrees_with_the_catalogue(module: catalogue.Module) -> None:
    tools = settings.find_tools()
    assert tools is not None
    text = (tools / module.folder / "go.mod").read_text()
    assert f"{module.path} {module.version}" in text
    assert all(f"\t{package}\n" in text or f"tool {package}\n" in text for package in module.packages)
    assert f"{module.path} {module.version} h1:" in (tools / module.folder / "go.sum").read_text()


def test_kubernetes_modules_replace_their_staging_modules() -> None:
    tools = settings.find_tools()
    assert tools is not None
    for version in versions.KUBERNETES:
        text = (tools / f"kubernetes-{versions.minor(version)}" / "go.mod").read_text()
        assert f"k8s.io/apiserver => k8s.io/apiserver v0.{version.removeprefix('v1.')}\n" in text


def test_tools_are_found_in_the_checkout() -> None:
    assert settings.find_tools() == pathlib.Path(__file__).resolve().parents[3] / "tools"
