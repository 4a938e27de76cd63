from __future__ import annotations

import dataclasses
import os
import pathlib

import pytest

from nestling.binaries import catalogue, errors, installed
from nestling.binaries import settings as settings_
from tests.unit.binaries import conftest

API = catalogue.binary("kube-apiserver", "v1.34.4")
KUBECTL = catalogue.binary("kubectl", "v1.34.4")
HELM = catalogue.binary("helm", "")


@pytest.mark.parametrize("says", ["Kubernetes v1.34.4", "Kubernetes v1.34.9", "no idea", ""])
def test_folder_of_the_user_with_the_same_minor_or_no_version(tmp_path: pathlib.Path, says: str) -> None:
    path = conftest.script(tmp_path, "kube-apiserver", f'test "$*" = --version && echo "{says}"')
    assert installed.in_folder(API, tmp_path) == path


def test_folder_of_the_user_with_another_minor(tmp_path: pathlib.Path) -> None:
    conftest.script(tmp_path, "kube-apiserver", "echo Kubernetes v1.33.1")
    with pytest.raises(errors.ProviderError, match=r"is version v1\.33\.1, wanted is v1\.34\.4"):
        installed.in_folder(API, tmp_path)


def test_folder_of_the_user_without_it_or_not_executable(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.ProviderError, match="has no kube-apiserver"):
        installed.in_folder(API, tmp_path)
    conftest.script(tmp_path, "kube-apiserver", "").chmod(0o644)
    with pytest.raises(errors.ProviderError, match="cannot be run: Permission denied"):
        installed.in_folder(API, tmp_path)


@pytest.mark.parametrize(
    ("binary", "says", "suits"),
    [
        (KUBECTL, "Client Version: v1.34.0", True),
        (KUBECTL, "Client Version: v1.33.2", True),
        (KUBECTL, "Client Version: v1.35.2", True),
        (KUBECTL, "Client Version: v1.32.2", False),
        (KUBECTL, "Client Version: v1.36.2", False),
        (KUBECTL, "", False),
        (HELM, "v3.12.0+gc9f554d", True),
        (HELM, "v3.10.0+gce66412", True),
        (HELM, "v3.9.4+gdbc6d8e", False),
        (HELM, "v4.0.1+g1234567", False),
    ],
)
def test_kubectl_and_helm_on_path(
    tmp_path: pathlib.Path, settings: settings_.Settings, binary: catalogue.Binary, says: str, *, suits: bool
) -> None:
    path = conftest.script(tmp_path, binary.name, f"echo '{says}'")
    with_path = dataclasses.replace(settings, search_path=f"{tmp_path}{os.pathsep}/nowhere")
    if suits:
        assert installed.on_path(binary, with_path) == path
    else:
        with pytest.raises(errors.ProviderError, match="wanted is"):
            installed.on_path(binary, with_path)


def test_nothing_on_path(settings: settings_.Settings) -> None:
    with pytest.raises(errors.ProviderError, match="no helm on PATH"):
        installed.on_path(HELM, settings)
