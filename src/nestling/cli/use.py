"""``nestling use driver``."""

from __future__ import annotations

import click

from nestling.cli import cobra, completing, settings, ui

EXAMPLES = """
nestling use driver local
"""


@click.group("use", cls=cobra.Group, examples=EXAMPLES)
def command() -> None:
    """Choose what is used when no flag says it."""


@command.command("driver", cls=cobra.Command, examples=EXAMPLES)
@click.argument("driver", metavar="DRIVER", shell_complete=completing.drivers)
@click.pass_context
def driver_command(ctx: click.Context, driver: str) -> None:
    """Choose the default driver."""
    from nestling.drivers.local import driver as local
    from nestling.lifecycle import select

    given = settings.of(ctx)
    path = select.settings_file(local.home(), given.config)
    select.write_driver(path, driver)
    ui.reporter(given).done(f"The default driver is {driver} now ({path})")
