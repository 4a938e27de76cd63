"""Command lines from flags, and how a user changes them: ``command`` replaces, ``extraArgs`` override (spec §4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def name_of(argument: str) -> str | None:
    """The flag's name without dashes and value; None for an argument that is only a value."""
    return argument.lstrip("-").split("=", 1)[0] if argument.startswith("-") else None


def names(arguments: Sequence[str]) -> frozenset[str]:
    """All flags that a list of arguments sets."""
    return frozenset(name for argument in arguments if (name := name_of(argument)))


def render(flags: Mapping[str, str]) -> list[str]:
    """``--name=value`` for each flag, in the order given."""
    return [f"--{name}={value}" for name, value in flags.items()]


def merge(arguments: Sequence[str], extra: Sequence[str]) -> list[str]:
    """The arguments without those flags that ``extra`` sets, then ``extra`` as it is.

    A flag that ``extra`` repeats stays repeated, and a value that stands in an argument of its own stays behind
    its flag.
    """
    overridden = names(extra)
    kept: list[str] = []
    dropping = False
    for argument in arguments:
        name = name_of(argument)
        if name is not None:
            dropping = name in overridden
        if not dropping:
            kept.append(argument)
    return [*kept, *extra]


def command_line(
    binary: str, flags: Mapping[str, str], *, command: Sequence[str] = (), extra: Sequence[str] = ()
) -> tuple[str, ...]:
    """What to execute: the binary with its flags, or ``command`` in place of both, with ``extra`` merged in."""
    program, *arguments = command or [binary, *render(flags)]
    return (program, *merge(arguments, extra))
