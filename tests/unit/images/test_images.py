"""How images are put together: the same input gives the same bytes, and nothing that is needed is missing."""

from __future__ import annotations

import ast
import json
import sys
import tarfile
from pathlib import Path

import pytest

from images import archive, contents, elf, python_packages, tree
from nestling.local.node import images as node_images

ROOT = Path(__file__).parents[3]


def sample(folder: Path, *, mode: int) -> tree.Tree:
    """A program, a link, a text and a folder, from a machine with habits of its own."""
    program = folder / "program"
    program.write_bytes(b"\x7fELF")
    program.chmod(mode)
    made = tree.Tree()
    made.file("usr/bin/program", program)
    made.link("bin", "usr/bin")
    made.text("etc/words", "words\n")
    made.folder("tmp", mode=0o1777)
    return made


def test_a_layer_depends_on_nothing_but_names_and_contents(tmp_path: Path) -> None:
    digests = []
    for number, mode in enumerate((0o700, 0o775)):
        folder = tmp_path / str(number)
        folder.mkdir()
        digests.append(sample(folder, mode=mode).pack(folder / "layer"))
    assert digests[0] == digests[1]
    with tarfile.open(tmp_path / "0" / "layer") as layer:
        found = {one.name: one for one in layer}
    assert list(found) == ["bin", "etc", "etc/words", "tmp", "usr", "usr/bin", "usr/bin/program"]
    assert (found["usr/bin/program"].mode, found["tmp"].mode, found["etc/words"].mode) == (0o755, 0o1777, 0o644)
    assert {(one.uid, one.gid, one.mtime) for one in found.values()} == {(0, 0, 0)}
    assert found["bin"].linkname == "usr/bin"


def test_an_archive_can_be_loaded_under_each_name(tmp_path: Path) -> None:
    layer = archive.Layer(tmp_path / "layer", sample(tmp_path, mode=0o755).pack(tmp_path / "layer"))
    names = ("ghcr.io/nestling-dev/nestling:1", "other:2")
    image = archive.Image(names=names, architecture="amd64", entrypoint=("/program",), user="65532:65532")
    archive.write(tmp_path / "image.tar", image, [layer])
    assert node_images.names(tmp_path / "image.tar") == names
    with tarfile.open(tmp_path / "image.tar") as content:
        index = json.load(content.extractfile("index.json") or sys.exit("no index"))
        (digest,) = {one["digest"].removeprefix("sha256:") for one in index["manifests"]}
        manifest = json.load(content.extractfile(f"blobs/sha256/{digest}") or sys.exit("no manifest"))
        config = manifest["config"]["digest"].removeprefix("sha256:")
        said = json.load(content.extractfile(f"blobs/sha256/{config}") or sys.exit("no configuration"))
    assert said["config"] == {"Entrypoint": ["/program"], "User": "65532:65532", "WorkingDir": "/"}
    assert said["rootfs"]["diff_ids"] == [f"sha256:{layer.digest}"]


def test_libraries_are_found_through_one_another() -> None:
    program = Path(sys.executable).resolve()
    names = elf.needed(program)
    assert "libc.so.6" in names
    assert any(name.startswith("ld-linux") for name in names)
    assert elf.needed(Path(__file__)) == ()


def test_a_library_that_is_missing_is_named() -> None:
    with pytest.raises(elf.MissingLibraryError, match=r"needs .*which is in none of the packages"):
        elf.closure([Path(sys.executable).resolve()], [])


def test_the_image_has_what_runs_and_no_developers_tools() -> None:
    names = {line.partition("==")[0] for line in python_packages.locked(ROOT).splitlines() if "==" in line}
    assert {"uvloop", "msgspec", "pydantic", "pydantic-core", "cryptography", "cffi"} <= names
    assert not {"pytest", "mypy", "ruff", "hatchling"} & names


def test_the_image_has_what_the_source_imports_from_pythons_own_library() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "src" / "nestling").rglob("*.py")]
    nodes = [node for one in trees for node in ast.walk(one)]
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    standard = {name.partition(".")[0] for name in imported} & sys.stdlib_module_names
    assert "sqlite3" in standard
    left_out = [name for name in (*standard, "_sqlite3") if contents._unused(Path(name))]
    assert left_out == []


def test_a_digest_changes_with_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("text")
    before = contents.digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "one.pyc").write_text("compiled")
    assert contents.digest(tmp_path) == before
    (tmp_path / "one").rename(tmp_path / "two")
    assert contents.digest(tmp_path) != before
