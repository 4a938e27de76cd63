from __future__ import annotations

import hashlib
import pathlib

import pytest

from nestling.binaries import checksums

ONE, TWO = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n",
        ONE.upper(),
        f"{TWO}  other\n{ONE}  tool.tar.gz\n",
        f"{TWO} *a/other\n{ONE} *dist/tool.tar.gz\n",
    ],
)
def test_published(text: str) -> None:
    assert checksums.published(text, "tool.tar.gz") == ONE


@pytest.mark.parametrize("text", ["", "<html>not found</html>", f"{TWO}  other\n", "abc  tool.tar.gz"])
def test_published_without_the_file(text: str) -> None:
    assert checksums.published(text, "tool.tar.gz") is None


def test_of_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "f").write_bytes(b"1")
    assert checksums.of_file(tmp_path / "f") == ONE


def test_pinned_are_sha256_of_official_addresses() -> None:
    for address, checksum in checksums.PINNED.items():
        assert address.startswith("https://")
        assert checksums.published(checksum, "") == checksum
