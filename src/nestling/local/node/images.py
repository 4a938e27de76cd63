"""Container images on a real node: loaded from archives, because a machine may have no registry."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

from nestling.binaries import settings as binaries_settings
from nestling.local import errors
from nestling.local.node import elf, files, oci, spec

NAMESPACE: Final = "k8s.io"
"""Where the kubelet's images are."""
_NAMES: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def command(node_file: str, ctr: Path, archive: str) -> tuple[str, ...]:
    """The command that loads an archive inside the node; ``-`` reads it from standard input."""
    enter = (sys.executable, "-m", "nestling.local.node.enter", node_file)
    return (*enter, str(ctr), f"--address={spec.SOCKET}", f"--namespace={NAMESPACE}", "images", "import", archive)


def load(node_file: Path, ctr: Path, archive: Path) -> tuple[str, ...]:
    """Load an OCI or Docker archive into containerd; returns the names of its images.

    Raises `HostError` for a file that is no such archive, and with containerd's own words when that refuses.
    """
    found = names(archive)
    with archive.open("rb") as stream:
        done = subprocess.run(command(str(node_file), ctr, "-"), stdin=stream, capture_output=True, check=False)
    if done.returncode != 0:
        raise errors.HostError(f"{archive} was not loaded: {done.stderr.decode(errors='replace').strip()}")
    return found


def names(archive: Path) -> tuple[str, ...]:
    """The images that an archive says it holds; raises `HostError` when it is none that can be loaded."""
    try:
        with tarfile.open(archive) as content:
            members = {name.removeprefix("./"): name for name in content.getnames()}
            for name, read in (("index.json", _of_index), ("manifest.json", _of_manifest)):
                member = content.extractfile(members[name]) if name in members else None
                if member is not None and (found := read(json.load(member))):
                    return found
    except (OSError, tarfile.TarError, ValueError) as error:
        raise errors.HostError(f"{archive} cannot be read as an image archive: {error}") from error
    raise errors.HostError(
        f"{archive} names no image: write it with a name and tag, for example with "
        f"docker save NAME:TAG, or buildah push NAME:TAG oci-archive:FILE:NAME:TAG"
    )


def write_pause(path: Path) -> None:
    """Write the archive of the image that holds the namespaces of each pod."""
    architecture = binaries_settings.Settings.from_env().architecture
    program = {"pause": elf.pause(architecture)}
    oci.write(path, files.PAUSE_IMAGE, program, entrypoint=["/pause"], architecture=architecture)
    path.chmod(0o600)


def _of_index(index: dict[str, list[dict[str, dict[str, str]]]]) -> tuple[str, ...]:
    found = []
    for manifest in index.get("manifests", []):
        annotations = manifest.get("annotations") or {}
        name = next((annotations[key] for key in _NAMES if annotations.get(key)), "")
        found += [name] if "/" in name or ":" in name else []
    return tuple(found)


def _of_manifest(manifest: list[dict[str, list[str] | None]]) -> tuple[str, ...]:
    return tuple(name for entry in manifest for name in entry.get("RepoTags") or [])
