"""The flags that every command has: they may stand before or after the command's name."""

from __future__ import annotations

import dataclasses
from typing import Any

import click


@dataclasses.dataclass(slots=True)
class Settings:
    """What the global flags said. Filled while the arguments are parsed, so the one mutable value of the command
    line."""

    config: str | None = None
    """Path of the settings file of the command line (the default driver)."""
    context: str | None = None
    """Context of the kubeconfig that names the host cluster."""
    namespace: str | None = None
    """Host namespace."""
    silent: bool = False
    debug: bool = False
    log_output: str = "plain"
    driver: str | None = None


def of(ctx: click.Context) -> Settings:
    """The settings of this run."""
    root = ctx.find_root()
    if not isinstance(root.obj, Settings):
        root.obj = Settings()
    return root.obj


def remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a global flag that was given; one that was not given must not undo one that stood earlier."""
    if value is not None and param.name is not None:
        setattr(of(ctx), param.name.removeprefix("global_"), value)
