"""What goes wrong while getting a binary, in the user's words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


class BinaryError(Exception):
    """A binary cannot be had, or the settings make no sense; the text says what was tried and what to do."""


class ProviderError(Exception):
    """One provider cannot deliver; the chain records the text and asks the next one."""


class UnknownVersionError(BinaryError):
    """A Kubernetes version that is not offered; the text lists those that are."""


class UnknownBinaryError(BinaryError):
    """A name that is not in the catalogue; the text lists those that are."""


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """Why one provider did not deliver one binary."""

    name: str
    provider: str
    reason: str


def exhausted(wanted: Sequence[object], attempts: Sequence[Attempt]) -> BinaryError:
    """Return the error for binaries that no provider delivered."""
    lines = [f"cannot get {', '.join(map(str, wanted))}; tried:"]
    for (provider, reason), names in _by_reason(attempts).items():
        whose = f" ({', '.join(names)})" if len(wanted) > 1 else ""
        lines.append(f"  {provider}{whose}: {reason}")
    lines += [
        "Do one of these, then run the same command again:",
        "  - put the binaries into a folder and set NESTLING_BIN_DIR to it",
        "  - give this machine access to the official download sites, or set NESTLING_MIRROR to a mirror's URL",
        "  - install Go (go.dev/doc/install) so that they can be built from the pinned modules",
    ]
    if packages := sorted({package for one in wanted if (package := getattr(one, "package", ""))}):
        lines.append(f"  - install the system's own: apt-get install {' '.join(packages)}")
    return BinaryError("\n".join(lines))


def _by_reason(attempts: Sequence[Attempt]) -> dict[tuple[str, str], list[str]]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for attempt in attempts:
        grouped.setdefault((attempt.provider, attempt.reason), []).append(attempt.name)
    return grouped
