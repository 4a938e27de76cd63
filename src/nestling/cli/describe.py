"""``nestling describe``."""

from __future__ import annotations

from typing import Any

import click

from nestling.cli import arguments, cobra, completing, runner, ui

EXAMPLES = """
nestling describe my-vc

# Which objects cannot be synced, and why
nestling describe my-vc -o json | jq '.sync.syncer.kinds[].stuck.oldest[]'

# Its values, to create another one from
nestling describe my-vc --config-only > vcluster.yaml
"""


@click.command("describe", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME", shell_complete=completing.clusters)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "yaml", "json"]),
    default="text",
    metavar="FORM",
    help="text, yaml or json",
)
@cobra.flag("--config-only", help="Print only the values that the user gave")
@arguments.ignored(arguments.NO_PLATFORM, "-p/--project")
@click.pass_context
def command(ctx: click.Context, name: str, output: Any, *, config_only: bool) -> None:
    """Show one virtual cluster: what it is, when each kind was last in agreement with the host, and what is stuck,
    why."""
    from nestling.lifecycle import describe

    current = runner.new_session(ctx)
    arguments.say_ignored(ctx, current.reporter)
    ui.emit(runner.run(describe.describe(current, name, form=output, config_only=config_only)))
