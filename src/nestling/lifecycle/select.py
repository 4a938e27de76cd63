"""Which driver answers, and what it was chosen by. Pure but for reading the settings file.

Order: ``--driver``, the settings file of Nestling, that of vCluster, and without any of them the current kubeconfig
context: ``helm`` when it names a cluster, ``local`` when there is none or it belongs to this machine's embedded host.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from nestling.drivers import errors

DRIVERS: Final = ("local", "helm")
CONTEXT_PREFIX: Final = "vcluster_"
HOST_PREFIX: Final = "nestling-"


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """A driver and the reason for it, for messages."""

    driver: str
    reason: str
    #: Nobody chose: virtual clusters that helm installed on the embedded host are found, too.
    either: bool = False


def is_ours(context: str) -> bool:
    """True for the contexts of embedded hosts and of virtual clusters on them."""
    if context.startswith(CONTEXT_PREFIX):
        return f"_{HOST_PREFIX}" in context
    return context.startswith(HOST_PREFIX)


def is_virtual(context: str) -> bool:
    """True for the contexts of virtual clusters, whatever host they are on."""
    return context.startswith(CONTEXT_PREFIX) and context.count("_") >= 3


def host_of(context: str) -> str | None:
    """The embedded host that a context names, its own or that of a virtual cluster on it."""
    parent = parent_context(context) or context
    return parent.removeprefix(HOST_PREFIX) if is_ours(context) and parent.startswith(HOST_PREFIX) else None


def parent_context(context: str) -> str:
    """The host's context that a virtual cluster's context name ends with: ``vcluster_NAME_NAMESPACE_HOST``."""
    return context.split("_", 3)[3] if is_virtual(context) else ""


def choose(*, flag: str | None, configured: Choice | None, current_context: str) -> Choice:
    """The driver to use; raises ``UserError`` for one that does not exist."""
    if flag is not None:
        return _known(Choice(flag, "--driver"))
    if configured is not None:
        return _known(configured)
    if not current_context:
        return Choice("local", "the kubeconfig has no current context", either=True)
    if is_ours(current_context):
        reason = f"the current context {current_context} belongs to this machine's embedded host"
        return Choice("local", reason, either=True)
    return Choice("helm", f"the current context is {current_context}")


def _known(choice: Choice) -> Choice:
    if choice.driver not in DRIVERS:
        raise errors.UserError(
            f'there is no driver "{choice.driver}" (chosen by {choice.reason}); drivers are {", ".join(DRIVERS)}'
        )
    return choice


def settings_file(home: Path, flag: str | None) -> Path:
    """Where ``use driver`` writes."""
    return Path(flag).expanduser() if flag else home / "config.json"


def configured(home: Path, flag: str | None, environ: Mapping[str, str] = os.environ) -> Choice | None:
    """The driver of the settings file: the one given, ours, or that of vCluster."""
    user_home = Path(environ.get("HOME") or Path.home())
    places = (
        [settings_file(home, flag)] if flag else [settings_file(home, None), user_home / ".vcluster" / "config.json"]
    )
    for path in places:
        kind = (read(path).get("driver") or {}).get("type")
        if kind:
            return Choice(str(kind), str(path))
    return None


def read(path: Path) -> dict[str, Any]:
    """A settings file; an absent one is empty."""
    try:
        data = json.loads(path.read_text(encoding="utf-8") or "{}")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise errors.UserError(
            f"cannot read the settings file {path}: {error.strerror}; run this as the user it belongs to, or name "
            f"another folder with NESTLING_HOME"
        ) from error
    except ValueError as error:
        raise errors.UserError(f"the settings file {path} is not JSON: {error}. Repair or remove it") from error
    return data if isinstance(data, dict) else {}


def write_driver(path: Path, driver: str) -> None:
    """Remember the default driver; other settings in the file are kept."""
    _known(Choice(driver, "the command line"))
    data = read(path)
    data["driver"] = {**(data.get("driver") or {}), "type": driver}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        temporary.chmod(0o600)
        temporary.replace(path)
    except OSError as error:
        raise errors.UserError(f"cannot write the settings file {path}: {error.strerror}") from error
