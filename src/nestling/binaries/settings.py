"""Where binaries are looked for and kept, read from the environment once."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import platform
import sys
from collections.abc import Mapping

from nestling.binaries import errors

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_NO = {"", "0", "false", "no"}


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one run.

    ``mirror`` is a base URL under which the official addresses are found again, host name first:
    ``MIRROR/dl.k8s.io/release/…``. ``offline`` asks no network at all, the Go module proxy included. ``search_path``
    is the PATH on which go, kubectl and helm are looked for.
    """

    cache_dir: pathlib.Path
    bin_dir: pathlib.Path | None = None
    mirror: str = ""
    offline: bool = False
    tools_dir: pathlib.Path | None = None
    architecture: str = "amd64"
    search_path: str = ""
    connect_seconds: float = 6.0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read NESTLING_BIN_DIR, NESTLING_CACHE_DIR, NESTLING_MIRROR and NESTLING_OFFLINE.

        Raises BinaryError for a folder that does not exist, a mirror that is no URL, and machines for which no stock
        control plane is published (anything but Linux on amd64 or arm64).
        """
        env = os.environ if env is None else env
        return cls(
            cache_dir=_cache_dir(env),
            bin_dir=_bin_dir(env.get("NESTLING_BIN_DIR", "")),
            mirror=_mirror(env.get("NESTLING_MIRROR", "")),
            offline=env.get("NESTLING_OFFLINE", "").strip().lower() not in _NO,
            tools_dir=find_tools(),
            architecture=_architecture(),
            search_path=env.get("PATH", os.defpath),
        )

    @property
    def store(self) -> pathlib.Path:
        """Return the folder with one sub-folder per component and version."""
        return self.cache_dir / "bin"


def find_tools() -> pathlib.Path | None:
    """Return the folder with the pinned Go modules: inside an installed package, else that of the checkout."""
    package = pathlib.Path(__file__).resolve().parents[1]
    for candidate in (package / "_tools", package.parents[1] / "tools"):
        if (candidate / "etcd" / "go.mod").is_file():
            return candidate
    return None


def _cache_dir(env: Mapping[str, str]) -> pathlib.Path:
    own = env.get("NESTLING_CACHE_DIR", "")
    if own:
        return pathlib.Path(own).expanduser().absolute()
    shared = env.get("XDG_CACHE_HOME", "")
    # the XDG rules say that a relative path is to be ignored
    base = (
        pathlib.Path(shared) if shared.startswith("/") else pathlib.Path(env.get("HOME") or "~").expanduser() / ".cache"
    )
    return base / "nestling"


def _bin_dir(text: str) -> pathlib.Path | None:
    if not text:
        return None
    path = pathlib.Path(text).expanduser().absolute()
    if not path.is_dir():
        raise errors.BinaryError(f"NESTLING_BIN_DIR={text} is not a folder; name an existing one, or unset it")
    return path


def _mirror(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise errors.BinaryError(
            f"NESTLING_MIRROR={text} is not a URL; write it like https://mirror.example.com/nestling"
        )
    return text.rstrip("/")


def _architecture() -> str:
    machine = platform.machine().lower()
    if not sys.platform.startswith("linux") or machine not in _ARCHITECTURES:
        raise errors.BinaryError(
            f"the stock control plane runs on Linux with amd64 or arm64; this is {platform.system()} on {machine}"
        )
    return _ARCHITECTURES[machine]
