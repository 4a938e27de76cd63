"""``nestling describe``."""

from __future__ import annotations

import click

from nestling.cli import arguments, cobra, runner, ui

EXAMPLES = """
nestling describe my-vc
nestling describe my-vc -o json
nestling describe my-vc --config-only > vcluster.yaml
"""


@click.command("describe", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME", shell_complete=arguments.complete)
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", metavar="FORM", help="Or json")
@cobra.flag("--config-only", help="Print only the values that the user gave")
@click.pass_context
def command(ctx: click.Context, name: str, output: str, *, config_only: bool) -> None:
    """Show one virtual cluster."""
    from nestling.lifecycle import describe

    ui.emit(runner.run(describe.describe(runner.new_session(ctx), name, form=output, config_only=config_only)))
