from __future__ import annotations

import pathlib

from nestling.binaries import versions

DOCS = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "binaries.md").read_text()


def test_docs_name_every_version_and_setting() -> None:
    others = (versions.ETCD, versions.KWOK, versions.HELM, versions.KINE)
    assert all(version in DOCS for version in (*versions.KUBERNETES, *others))
    assert f"**{versions.DEFAULT_KUBERNETES}** (default)" in DOCS
    for name in ("NESTLING_BIN_DIR", "NESTLING_CACHE_DIR", "NESTLING_MIRROR", "NESTLING_OFFLINE"):
        assert f"`{name}`" in DOCS
