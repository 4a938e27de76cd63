"""SHA-256 checksums: those that are pinned here, and reading the files in which projects publish theirs.

A pinned checksum protects against everything. A published one travels over the same channel as the file: it
protects against partial and corrupt downloads, and the channel (HTTPS) has to protect against the rest.
"""

from __future__ import annotations

import hashlib
import pathlib
import re

_HELM = "https://get.helm.sh"
_KWOK = "https://github.com/kubernetes-sigs/kwok/releases/download"

PINNED: dict[str, str] = {
    f"{_HELM}/helm-v3.21.4-linux-amd64.tar.gz": "61f88ab166748cb19604d7884cb100ae9ccb13804ddeb98e08af167eacbb6a14",
    # kwok publishes no checksum file, so without these it would always be built
    f"{_KWOK}/v0.7.0/kwok-linux-amd64": "56ca852c4aa5851b44e99019214942ec55c6b6c25cbf85bea91019c1931b3415",
    f"{_KWOK}/v0.7.0/kwok-linux-arm64": "d66e9a2532ecfecff83de0f68ee1973a941b9c145ca246340cf9e8de8aeca033",
}
"""Checksums by official address, which a mirror does not change."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def published(text: str, filename: str) -> str | None:
    """Return the checksum of the file from the text of a checksum file, None when it is not in there.

    Understands a lone checksum, and lines of a checksum and a file name (with a path or the ``*`` of binary mode).
    """
    lone = text.split()
    if len(lone) == 1 and _SHA256.fullmatch(lone[0]):
        return lone[0].lower()
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and _SHA256.fullmatch(words[0]) and words[1].lstrip("*").rpartition("/")[2] == filename:
            return words[0].lower()
    return None


def of_file(path: pathlib.Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
