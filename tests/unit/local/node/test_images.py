from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
from pathlib import Path

import pytest

from nestling.local import errors
from nestling.local.node import elf, files, images, oci


def test_an_archive_that_we_write_names_its_image(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    oci.write(archive, "example.com/app:1", {"app": b"x"}, entrypoint=["/app"], architecture="amd64")
    assert images.names(archive) == ("example.com/app:1",)
    compressed = tmp_path / "image.tar.gz"
    compressed.write_bytes(gzip.compress(archive.read_bytes()))
    assert images.names(compressed) == ("example.com/app:1",)


def test_the_digests_of_an_archive_are_those_of_its_parts(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    oci.write(archive, "example.com/app:1", {"app": b"x"}, entrypoint=["/app"], architecture="amd64")
    with tarfile.open(archive) as content:

        def read(name: str) -> bytes:
            member = content.extractfile(name)
            assert member is not None
            return member.read()

        def blob(digest: str) -> bytes:
            return read(f"blobs/sha256/{digest.removeprefix('sha256:')}")

        (entry,) = json.loads(read("index.json"))["manifests"]
        manifest = json.loads(blob(entry["digest"]))
        config = json.loads(blob(manifest["config"]["digest"]))
        (layer,) = manifest["layers"]
        assert config["rootfs"]["diff_ids"] == [layer["digest"]]
        with tarfile.open(fileobj=io.BytesIO(blob(layer["digest"]))) as files_:
            assert files_.getmember("app").mode == 0o755


def test_a_docker_archive_names_its_images(tmp_path: Path) -> None:
    archive = tmp_path / "docker.tar"
    content = json.dumps([{"RepoTags": ["app:1", "app:2"]}]).encode()
    with tarfile.open(archive, "w") as file:
        info = tarfile.TarInfo("manifest.json")
        info.size = len(content)
        file.addfile(info, io.BytesIO(content))
    assert images.names(archive) == ("app:1", "app:2")


def test_what_is_no_archive_is_refused_with_the_way_to_write_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no archive")
    with pytest.raises(errors.HostError, match="cannot be read"):
        images.names(file)
    with tarfile.open(file, "w"):
        pass
    with pytest.raises(errors.HostError, match="docker save NAME:TAG"):
        images.names(file)


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
def test_the_pause_program_is_an_executable(architecture: str, machine: int) -> None:
    program = elf.pause(architecture)
    assert program[:4] == b"\x7fELF"
    assert struct.unpack_from("<HH", program, 16) == (2, machine)
    (entry,) = struct.unpack_from("<Q", program, 24)
    offset, address, _, size = struct.unpack_from("<QQQQ", program, 64 + 8)
    assert (offset, size) == (0, len(program))
    assert entry - address == 64 + 56


def test_questions_go_on_to_resolvers_that_a_node_reaches() -> None:
    assert files.forward("nameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch x\n") == "forward . 192.0.2.53"
    assert files.forward("nameserver 127.0.0.1\n").startswith("#")
