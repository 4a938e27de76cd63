"""Arguments that several verbs share: flags of the original that mean nothing here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import click
from click import core

from nestling.cli import cobra, ui


class Ignored(click.Option):
    """A flag of the original that means nothing here: accepted, so that scripts run on, and said on stderr."""

    def __init__(self, param_decls: Sequence[str], *, reason: str, **attrs: Any) -> None:
        super().__init__(
            param_decls, **{"hidden": True, "expose_value": False, "multiple": True, "callback": _note, **attrs}
        )
        self.reason = reason


class IgnoredFlag(cobra.BoolFlag):
    """The same for a switch."""

    def __init__(self, param_decls: Sequence[str], *, reason: str, **attrs: Any) -> None:
        super().__init__(
            param_decls, **{"hidden": True, "expose_value": False, "default": None, "callback": _note, **attrs}
        )
        self.reason = reason


def ignored(reason: str, *names: str, switches: Sequence[str] = ()) -> Callable[[Callable[..., Any]], Any]:
    """Declare flags that mean nothing here; a name may carry its short form: ``-p/--project``."""

    def declare(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            command = click.option(*name.split("/"), cls=Ignored, reason=reason)(command)
        for name in switches:
            command = click.option(*name.split("/"), cls=IgnoredFlag, reason=reason)(command)
        return command

    return declare


class HelmOption(click.Option):
    """A flag that only the driver helm uses; with another one it is accepted, and said on stderr."""

    def __init__(self, param_decls: Sequence[str], *, reason: str, **attrs: Any) -> None:
        super().__init__(param_decls, **attrs)
        self.reason = reason


class HelmFlag(cobra.BoolFlag):
    """The same for a switch."""

    def __init__(self, param_decls: Sequence[str], *, reason: str, **attrs: Any) -> None:
        super().__init__(param_decls, **attrs)
        self.reason = reason


def of_helm(reason: str, *names: str, **attrs: Any) -> Callable[[Any], Any]:
    """Declare a flag of the driver helm; ``reason`` says why it means nothing to another one."""
    return click.option(*names, cls=HelmOption, reason=reason, **attrs)


def helm_flag(reason: str, *names: str, **attrs: Any) -> Callable[[Any], Any]:
    """The same for a switch."""
    return click.option(*names, cls=HelmFlag, reason=reason, **attrs)


#: Why a flag means nothing to the driver ``local``.
NO_CHART: Final = "the driver local installs no chart"
NO_PROXY: Final = "with the driver local the API server listens on this machine itself, so nothing is forwarded"
NO_CONTAINER: Final = "no container is needed to forward a port"
BACKGROUND: Final = "Forward its port, where that is needed, by a process that goes on behind the command"
NO_PLATFORM: Final = "it belongs to the platform of vCluster, which Nestling does without"


def say_ignored(ctx: click.Context, reporter: ui.Reporter | Any, *, driver: str = "") -> None:
    """Say which flags were given and mean nothing for this driver."""
    for param in ctx.command.params:
        if isinstance(param, Ignored | IgnoredFlag):
            told = bool(ctx.meta.get(_key(param)))
        elif isinstance(param, HelmOption | HelmFlag):
            told = driver == "local" and _given(ctx, param)
        else:
            continue
        if told:
            reporter.warn(f"{max(param.opts, key=len)} has no effect: {param.reason}")


def _given(ctx: click.Context, param: click.Parameter) -> bool:
    """Whether the command line asks for something with it: a switch that is off asks for nothing."""
    source = ctx.get_parameter_source(param.name or "")
    return source is core.ParameterSource.COMMANDLINE and bool(ctx.params.get(param.name or ""))


def _note(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.meta[_key(param)] = value


def _key(param: click.Parameter) -> str:
    return f"{__name__}.{param.name}"
