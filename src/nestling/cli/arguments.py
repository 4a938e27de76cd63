"""Arguments that several verbs share: NAME with completion, and flags that mean nothing here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from click import shell_completion

from nestling.cli import settings, ui


def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:
    """The names of virtual clusters, from the disk: completion must answer at once."""
    from nestling.drivers.local import driver

    wanted = settings.of(ctx).namespace
    return [
        shell_completion.CompletionItem(record.name, help=record.namespace)
        for record in driver.records()
        if record.name.startswith(incomplete) and wanted in (None, record.namespace)
    ]


def say_ignored(ctx: click.Context, reporter: ui.Reporter | Any, given: Mapping[str, Any]) -> None:
    """Say which flags of the original were given and mean nothing for this driver."""
    for name, value in given.items():
        if value and ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            reporter.warn(f"--{name.replace('_', '-')} has no meaning for the driver local: it installs no chart")
