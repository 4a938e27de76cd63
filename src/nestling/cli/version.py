"""``nestling version``."""

from __future__ import annotations

import json
import platform

import click

from nestling.cli import cobra, ui

EXAMPLES = """
nestling version
nestling version -o json
"""


def current() -> str:
    """The version of the installed package; ``importlib.metadata`` is slow to import, so only here."""
    import importlib.metadata

    return importlib.metadata.version("nestling")


@click.command("version", cls=cobra.Command, examples=EXAMPLES)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", metavar="FORM", help="text or json"
)
@click.pass_context
def command(ctx: click.Context, output: str) -> None:
    """Print the version."""
    if output == "json":
        found = {"version": current(), "python": platform.python_version(), "platform": platform.machine()}
        ui.emit(json.dumps(found, indent=4))
    else:
        ui.emit(f"{ctx.find_root().info_name} version {current()}")
