"""Writes layers as an OCI archive, for `docker load`, `ctr images import`, `skopeo` and `nestling host load-image`."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"


@dataclasses.dataclass(frozen=True, slots=True)
class Layer:
    """A packed tree."""

    file: Path
    digest: str


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """What stands in the configuration of an image. One image may have several names."""

    names: tuple[str, ...]
    architecture: str
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    user: str = ""
    labels: tuple[tuple[str, str], ...] = ()


def write(path: Path, image: Image, layers: Sequence[Layer]) -> None:
    """Write the archive; the same input gives the same bytes. What was there is replaced in one step."""
    config = _json(_config(image, layers))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(config, _CONFIG),
            "layers": [
                {"mediaType": _LAYER, "digest": f"sha256:{one.digest}", "size": one.file.stat().st_size}
                for one in layers
            ],
        }
    )
    platform = {"architecture": image.architecture, "os": "linux"}
    entries = [
        _descriptor(manifest, _MANIFEST)
        | {
            "annotations": {
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            },
            "platform": platform,
        }
        for name in image.names
    ]
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with tarfile.open(temporary, mode="w", format=tarfile.PAX_FORMAT) as archive:
            _bytes(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            _bytes(archive, "index.json", _json(index))
            for content in (manifest, config):
                _bytes(archive, f"blobs/sha256/{hashlib.sha256(content).hexdigest()}", content)
            for one in layers:
                _file(archive, f"blobs/sha256/{one.digest}", one.file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _config(image: Image, layers: Sequence[Layer]) -> dict[str, Any]:
    chosen = {
        "Entrypoint": list(image.entrypoint),
        "Env": list(image.environment),
        "User": image.user,
        "WorkingDir": "/",
        "Labels": dict(image.labels),
    }
    return {
        "architecture": image.architecture,
        "os": "linux",
        "config": {key: value for key, value in chosen.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{one.digest}" for one in layers]},
    }


def _bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _file(archive: tarfile.TarFile, name: str, source: Path) -> None:
    info = tarfile.TarInfo(name)
    info.size = source.stat().st_size
    with source.open("rb") as content:
        archive.addfile(info, content)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}
