"""``nestling list``."""

from __future__ import annotations

import datetime

import click

from nestling.cli import cobra, runner, ui

EXAMPLES = """
nestling list
nestling list --output json
nestling list -n team-a
"""


@click.command("list", cls=cobra.Command, examples=EXAMPLES)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", metavar="FORM", help="table or json")
@click.pass_context
def command(ctx: click.Context, output: str) -> None:
    """List virtual clusters: of all namespaces, or of the one that -n names."""
    from nestling.lifecycle import listing

    current = runner.new_session(ctx)
    clusters = runner.run(current.driver.clusters(current.namespace))
    render = listing.as_json if output == "json" else listing.as_table
    ui.emit(render(clusters, current=current.files.current_context(), now=datetime.datetime.now(datetime.UTC)))
