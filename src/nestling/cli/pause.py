"""``nestling pause``."""

from __future__ import annotations

import click

from nestling.cli import arguments, cobra, runner

EXAMPLES = """
nestling pause my-vc
"""


@click.command("pause", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME", shell_complete=arguments.complete)
@click.pass_context
def command(ctx: click.Context, name: str) -> None:
    """Stop a virtual cluster and its workloads on the host, and keep its data. ``resume`` and ``connect`` start it
    again."""
    from nestling.lifecycle import pause

    runner.run(pause.pause(runner.new_session(ctx), name))
