"""Where Nestling keeps what lives on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one user; nothing is made until something is written."""

    home: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Paths:
        """`$NESTLING_HOME`, else `nestling` in the XDG data folder."""
        env = os.environ if env is None else env
        if named := env.get("NESTLING_HOME"):
            return cls(Path(named).expanduser().absolute())
        data = env.get("XDG_DATA_HOME", "")
        # The XDG rules ignore relative paths.
        base = Path(data) if data.startswith("/") else Path(env.get("HOME") or Path.home()) / ".local" / "share"
        return cls(base / "nestling")

    def make_private(self, folder: Path) -> None:
        """Make a folder below the home, closed to others like every folder on the way that is new."""
        missing = [path for path in (folder, *folder.parents) if path.is_relative_to(self.home) and not path.exists()]
        self.home.parent.mkdir(parents=True, exist_ok=True)
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)

    @property
    def hosts(self) -> Path:
        """One folder per embedded host."""
        return self.home / "hosts"

    def host(self, name: str) -> Path:
        """Everything of one embedded host."""
        return self.hosts / name

    def clusters(self, host: str) -> Path:
        """The virtual clusters on one embedded host: `<namespace>/<name>/`."""
        return self.home / "clusters" / host
