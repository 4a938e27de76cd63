"""The provider chain: where a binary comes from, in order.

1. the folder that the user names (NESTLING_BIN_DIR);
2. the cache;
3. for kubectl and helm, the machine's PATH;
4. a download from the official site or the user's mirror, with checksum;
5. ``go build`` from the pinned modules.

A provider that cannot deliver says why, and the next one is asked; when none can, the error repeats all of it.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable, Sequence

from nestling.binaries import catalogue, errors, installed, store, versions
from nestling.binaries import progress as progress_
from nestling.binaries import settings as settings_


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A binary that needs no fetching: where it is and which provider has it."""

    path: pathlib.Path
    provider: str


def ensure(
    names: Sequence[str],
    *,
    kubernetes_version: str | None = None,
    settings: settings_.Settings | None = None,
    progress: progress_.Progress | None = None,
) -> dict[str, pathlib.Path]:
    """Return the paths of the named binaries, getting those that are missing.

    Blocks for as long as that takes: minutes when Kubernetes is built. Raises BinaryError when no provider can
    deliver, and for names and versions that are not known.
    """
    return Chain(settings, progress=progress).ensure(names, kubernetes_version=kubernetes_version)


class Chain:
    """The providers of one run; keep it when calling more than once, as it remembers hosts that do not answer."""

    def __init__(
        self, settings: settings_.Settings | None = None, *, progress: progress_.Progress | None = None
    ) -> None:
        self._settings = settings if settings is not None else settings_.Settings.from_env()
        self._report = progress if progress is not None else progress_.silent
        self._store = store.Store(self._settings.store, self._settings.architecture)
        self._dead_hosts: dict[str, str] = {}

    def ensure(self, names: Sequence[str], *, kubernetes_version: str | None = None) -> dict[str, pathlib.Path]:
        """Do what the function ``ensure`` does."""
        binaries = self.binaries(names, kubernetes_version=kubernetes_version)
        paths: dict[str, pathlib.Path] = {}
        missing: list[catalogue.Binary] = []
        attempts: list[errors.Attempt] = []
        for binary in binaries:
            found = self.find(binary, attempts)
            if found is None:
                missing.append(binary)
            else:
                paths[binary.name] = found.path
        for group in _by_component(missing):
            paths |= self._fetch(group, attempts)
        return {name: paths[name] for name in names}

    def binaries(self, names: Sequence[str], *, kubernetes_version: str | None = None) -> list[catalogue.Binary]:
        """Return the catalogue entries of the names, each once."""
        version = versions.resolve(kubernetes_version)
        return [catalogue.binary(name, version) for name in dict.fromkeys(names)]

    def find(self, binary: catalogue.Binary, attempts: list[errors.Attempt] | None = None) -> Found | None:
        """Return the binary when it is on this machine, without network; what does not suit goes into ``attempts``."""
        said: list[errors.Attempt] = [] if attempts is None else attempts
        if self._settings.bin_dir is not None:
            try:
                return Found(installed.in_folder(binary, self._settings.bin_dir), "explicit folder")
            except errors.ProviderError as error:
                said.append(errors.Attempt(binary.name, "explicit folder", str(error)))
        cached = self._store.find(binary)
        if cached is not None:
            return Found(cached, "cache")
        said.append(errors.Attempt(binary.name, "cache", f"{self._store.path(binary)} is not there"))
        if binary.on_path:
            try:
                return Found(installed.on_path(binary, self._settings), "PATH")
            except errors.ProviderError as error:
                said.append(errors.Attempt(binary.name, "PATH", str(error)))
        return None

    def source(self, binary: catalogue.Binary) -> str:
        """Return where the cached binary came from, empty when it is not in the cache."""
        record = self._store.record(binary)
        return record.source if record else ""

    def place(self, binary: catalogue.Binary) -> pathlib.Path:
        """Return where the cache keeps the binary, there or not."""
        return self._store.path(binary)

    def _fetch(self, group: list[catalogue.Binary], attempts: list[errors.Attempt]) -> dict[str, pathlib.Path]:
        """Get the missing binaries of one component into the cache; another process may do so at the same time."""
        with self._store.locked(group, self._report):
            paths = {binary.name: path for binary in group if (path := self._store.find(binary))}
            missing = [binary for binary in group if binary.name not in paths]
            if not missing:
                return paths
            with self._store.workspace(missing) as workspace:
                for binary in missing:
                    path = self._download(binary, workspace, attempts)
                    if path is not None:
                        paths[binary.name] = path
                rest = [binary for binary in missing if binary.name not in paths]
                if rest:
                    paths |= self._build(rest, workspace, attempts)
        return paths

    def _download(
        self, binary: catalogue.Binary, workspace: pathlib.Path, attempts: list[errors.Attempt]
    ) -> pathlib.Path | None:
        from nestling.binaries import download  # the HTTP client is slow to import, and mostly nothing is missing

        downloader = download.Downloader(self._settings, self._report, dead=self._dead_hosts)
        try:
            file, source = downloader.fetch(binary, workspace)
        except errors.ProviderError as error:
            attempts.append(errors.Attempt(binary.name, "download", str(error)))
            return None
        return self._store.install(binary, file, source=source)

    def _build(
        self, rest: list[catalogue.Binary], workspace: pathlib.Path, attempts: list[errors.Attempt]
    ) -> dict[str, pathlib.Path]:
        from nestling.binaries import gobuild

        try:
            built = gobuild.Builder(self._settings, self._report).build(rest, workspace)
        except errors.ProviderError as error:
            attempts += [errors.Attempt(binary.name, "go build", str(error)) for binary in rest]
            names = {binary.name for binary in rest}
            raise errors.exhausted(rest, [one for one in attempts if one.name in names]) from error
        return {
            binary.name: self._store.install(
                binary, built[binary.name], source=f"go build, tools/{binary.module.folder}"
            )
            for binary in rest
        }


def _by_component(binaries: Iterable[catalogue.Binary]) -> list[list[catalogue.Binary]]:
    groups: dict[str, list[catalogue.Binary]] = {}
    for binary in binaries:
        groups.setdefault(binary.component, []).append(binary)
    return list(groups.values())
