"""``nestling resume``."""

from __future__ import annotations

import click

from nestling.cli import arguments, cobra, runner

EXAMPLES = """
nestling resume my-vc
"""


@click.command("resume", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME", shell_complete=arguments.complete)
@click.pass_context
def command(ctx: click.Context, name: str) -> None:
    """Start a paused virtual cluster again; its workloads come back as they were."""
    from nestling.lifecycle import pause

    runner.run(pause.resume(runner.new_session(ctx), name))
