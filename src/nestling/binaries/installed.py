"""Binaries that are on the machine already: the folder that the user names, and PATH for kubectl and helm.

They are taken as they are, after a look at the version that they tell.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess

from nestling.binaries import catalogue, errors, versions
from nestling.binaries import settings as settings_

_TELL_SECONDS = 15.0
_KUBECTL_SKEW = 1  # kubectl is supported one minor version older or newer than the API server


def in_folder(binary: catalogue.Binary, folder: pathlib.Path) -> pathlib.Path:
    """Return the binary of the user's folder.

    Raises ProviderError when it is not there, cannot be run, or tells a version of another release line. One that
    tells no version is taken: the user named the folder.
    """
    path = folder / binary.name
    if not path.is_file():
        raise errors.ProviderError(f"{folder} has no {binary.name}")
    try:
        found = told(path, binary.version_arguments)
    except OSError as error:
        raise errors.ProviderError(f"{path} cannot be run: {error.strerror}") from error
    if found is not None and not _suits(found, binary):
        raise errors.ProviderError(f"{path} is version {_text(found)}, wanted is {binary.version}")
    return path


def on_path(binary: catalogue.Binary, settings: settings_.Settings) -> pathlib.Path:
    """Return kubectl or helm of the machine when its version suits; raises ProviderError otherwise."""
    place = shutil.which(binary.name, path=settings.search_path)
    if place is None:
        raise errors.ProviderError(f"no {binary.name} on PATH")
    try:
        found = told(pathlib.Path(place), binary.version_arguments)
    except OSError as error:
        raise errors.ProviderError(f"{place} cannot be run: {error.strerror}") from error
    if found is None or not _suits(found, binary):
        tells = "tells no version" if found is None else f"is version {_text(found)}"
        raise errors.ProviderError(f"{place} {tells}, wanted is {binary.version}")
    return pathlib.Path(place)


def told(path: pathlib.Path, arguments: tuple[str, ...]) -> tuple[int, int, int] | None:
    """Return the version that a program tells of itself, None when it tells none.

    Raises OSError when it cannot be started.
    """
    try:
        answer = subprocess.run(
            [path, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=_TELL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return versions.numbers(answer.stdout.decode(errors="replace"))


def _suits(found: tuple[int, int, int], binary: catalogue.Binary) -> bool:
    wanted = versions.numbers(binary.version)
    if wanted is None:
        return True
    if binary.name == "kubectl":
        return found[0] == wanted[0] and abs(found[1] - wanted[1]) <= _KUBECTL_SKEW
    return found[: binary.same] == wanted[: binary.same] and found[:2] >= binary.oldest


def _text(found: tuple[int, int, int]) -> str:
    return "v" + ".".join(map(str, found))
