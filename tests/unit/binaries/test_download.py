from __future__ import annotations

import dataclasses
import io
import pathlib
import socket
import tarfile
import threading

import pytest

from nestling.binaries import catalogue, checksums, download, errors, progress, versions
from nestling.binaries import settings as settings_
from tests.unit.binaries import conftest

API = catalogue.binary("kube-apiserver", versions.DEFAULT_KUBERNETES)
API_PATH = f"/dl.k8s.io/release/{API.version}/bin/linux/amd64/kube-apiserver"
ETCD = catalogue.binary("etcd", "")
ETCD_FOLDER = "/github.com/etcd-io/etcd/releases/download/v3.6.8"
KWOK = catalogue.binary("kwok", "")


@pytest.fixture
def downloader(settings: settings_.Settings) -> download.Downloader:
    return download.Downloader(settings, progress.silent)


def test_verified_file_and_progress(settings: settings_.Settings, site: conftest.Site, tmp_path: pathlib.Path) -> None:
    site.publish(API_PATH, b"x" * 3_000_000)
    steps: list[progress.Step] = []
    file, source = download.Downloader(settings, steps.append).fetch(API, tmp_path)
    assert file.read_bytes() == b"x" * 3_000_000
    assert source == site.url + API_PATH
    assert [steps[0].state, steps[-1].state] == ["started", "done"]
    host = site.url.removeprefix("http://")
    assert str(steps[0]) == f"downloading kube-apiserver {API.version} from {host} …"
    assert any(step.received and step.total == 3_000_000 for step in steps)


def test_checksum_mismatch_is_refused(
    downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    site.publish(API_PATH, b"evil", checksum="0" * 64)
    with pytest.raises(errors.ProviderError, match=r"has SHA-256 .*, expected 0000"):
        downloader.fetch(API, tmp_path)


def test_partial_download_is_refused(
    downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    site.publish(API_PATH, b"half of it")
    site.cut.add(API_PATH)
    with pytest.raises(errors.ProviderError, match=r"broke off|ended after"):
        downloader.fetch(API, tmp_path)


def test_no_checksum_no_download(downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path) -> None:
    site.files[API_PATH] = b"x"
    with pytest.raises(errors.ProviderError, match="sha256 answers 404"):
        downloader.fetch(API, tmp_path)
    assert site.asked == [API_PATH + ".sha256"]


def test_error_page_instead_of_checksum(
    downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    site.files |= {API_PATH: b"x", API_PATH + ".sha256": b"<html>please log in</html>"}
    with pytest.raises(errors.ProviderError, match="does not hold a SHA-256 of kube-apiserver"):
        downloader.fetch(API, tmp_path)


def tarball(member: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def test_binary_is_taken_out_of_the_archive(
    downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    name = "etcd-v3.6.8-linux-amd64.tar.gz"
    content = tarball("etcd-v3.6.8-linux-amd64/etcd", b"an etcd")
    site.publish(f"{ETCD_FOLDER}/{name}", content)
    checksum = site.files.pop(f"{ETCD_FOLDER}/{name}.sha256").decode()
    site.files[f"{ETCD_FOLDER}/SHA256SUMS"] = f"{'1' * 64}  other\n{checksum}  {name}\n".encode()
    file, _ = downloader.fetch(ETCD, tmp_path)
    assert file.read_bytes() == b"an etcd"


def test_archive_without_the_binary(
    downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    path = f"{ETCD_FOLDER}/etcd-v3.6.8-linux-amd64.tar.gz"
    site.publish(path, tarball("something/else", b""))
    site.files[f"{ETCD_FOLDER}/SHA256SUMS"] = site.files.pop(f"{path}.sha256")
    with pytest.raises(errors.ProviderError, match="not found"):
        downloader.fetch(ETCD, tmp_path)


def test_pinned_checksum_wins_over_everything(
    downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    site.publish("/github.com/kubernetes-sigs/kwok/releases/download/v0.7.0/kwok-linux-amd64", b"not the real kwok")
    with pytest.raises(errors.ProviderError, match="expected 56ca852c4aa5851b"):
        downloader.fetch(KWOK, tmp_path)


def test_unpublished_and_unpinned_is_not_downloaded(
    downloader: download.Downloader, site: conftest.Site, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksums, "PINNED", {})
    with pytest.raises(errors.ProviderError, match="publishes none"):
        downloader.fetch(KWOK, tmp_path)
    assert site.asked == []


def test_offline_asks_nobody(settings: settings_.Settings, site: conftest.Site, tmp_path: pathlib.Path) -> None:
    offline = download.Downloader(dataclasses.replace(settings, offline=True), progress.silent)
    with pytest.raises(errors.ProviderError, match="NESTLING_OFFLINE"):
        offline.fetch(API, tmp_path)
    assert site.asked == []


def test_host_that_refuses_is_asked_once(settings: settings_.Settings, tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    steps: list[progress.Step] = []
    away = dataclasses.replace(settings, mirror=f"http://127.0.0.1:{port}")
    downloader = download.Downloader(away, steps.append)
    for binary in (API, ETCD):
        with pytest.raises(errors.ProviderError, match=f"cannot reach 127.0.0.1:{port}: Connection refused"):
            downloader.fetch(binary, tmp_path)
    assert [step.state for step in steps] == ["started", "failed"]


def test_host_that_does_not_answer_is_given_up_and_remembered(
    settings: settings_.Settings, site: conftest.Site, tmp_path: pathlib.Path
) -> None:
    site.before = threading.Event()
    downloader = download.Downloader(dataclasses.replace(settings, connect_seconds=0.1), progress.silent)
    try:
        for binary in (API, ETCD):
            with pytest.raises(errors.ProviderError, match="no answer within"):
                downloader.fetch(binary, tmp_path)
    finally:
        site.before.set()
    assert site.asked == [API_PATH + ".sha256"]


def test_without_mirror_the_official_address_is_used(settings: settings_.Settings) -> None:
    address = download.fill(API.download.url, API, "arm64")
    assert address == f"https://dl.k8s.io/release/{API.version}/bin/linux/arm64/kube-apiserver"
