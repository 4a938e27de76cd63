"""Which versions of the stock binaries are offered, and which is the default.

One patch release per Kubernetes minor, the newest that the Go module proxy serves: every one has its pinned Go
module under ``tools/``, so that it can be built where no official site is reachable. To change a version, edit this
file and run ``tools/update.py``.
"""

from __future__ import annotations

import re

from nestling.binaries import errors

KUBERNETES: tuple[str, ...] = ("v1.32.5", "v1.33.13", "v1.34.4", "v1.35.4", "v1.36.3")
"""The offered Kubernetes versions, oldest first.

v1.32.5 is not the newest 1.32: of later patches the proxy does not serve all staging modules.
"""

DEFAULT_KUBERNETES = "v1.36.3"
"""The newest that builds and runs here.

vCluster's chart defaults to the same minor, so an unchanged configuration gets the version that it expects, and the
newest control plane stays inside the version skew of kubelets on the host for the longest time (three minors back).
"""

ETCD = "v3.6.8"
KWOK = "v0.7.0"
HELM = "v3.21.4"
KINE = "v0.16.4"
CONTAINERD = "v2.1.5"
RUNC = "v1.4.3"
CNI_PLUGINS = "v1.9.0"
COREDNS = "v1.14.7"
METRICS_SERVER = "v0.9.0"

_FORM = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


def numbers(version: str) -> tuple[int, int, int] | None:
    """Return the first version number in the text as three integers (patch 0 when missing), None without one."""
    match = _FORM.search(version)
    if match is None:
        return None
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch or 0)


def minor(version: str) -> str:
    """Return ``1.34`` of ``v1.34.4``."""
    parts = numbers(version)
    if parts is None:
        raise errors.UnknownVersionError(f"{version!r} is not a version")
    return f"{parts[0]}.{parts[1]}"


def resolve(text: str | None) -> str:
    """Return the offered Kubernetes version for what a user wrote: ``1.34``, ``v1.34.4``, or nothing for the default.

    Raises UnknownVersionError, with the versions that are offered, for anything else.
    """
    wanted = (text or "").strip()
    if not wanted:
        return DEFAULT_KUBERNETES
    match = _FORM.fullmatch(wanted)
    if match is None:
        raise errors.UnknownVersionError(
            f"{wanted!r} is not a Kubernetes version; write it like 1.34 or v1.34.4. {_offer()}"
        )
    same_minor = [offered for offered in KUBERNETES if minor(offered) == minor(wanted)]
    if match.group(3) is None and same_minor:
        return same_minor[-1]
    exact = "v" + wanted.removeprefix("v")
    if exact in same_minor:
        return exact
    if same_minor:
        hint = f"of this minor version {same_minor[-1]} is offered: write {minor(wanted)}"
        raise errors.UnknownVersionError(f"Kubernetes {exact} is not offered; {hint}. {_offer()}")
    raise errors.UnknownVersionError(f"Kubernetes {wanted} is not offered. {_offer()}")


def _offer() -> str:
    return "Offered are " + ", ".join(KUBERNETES) + f" (default {DEFAULT_KUBERNETES})."
