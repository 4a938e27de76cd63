"""``nestling resume``."""

from __future__ import annotations

import click

from nestling.cli import arguments, cobra, completing, runner

EXAMPLES = """
nestling resume my-vc
"""


@click.command("resume", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME", shell_complete=completing.clusters)
@arguments.ignored(arguments.NO_PLATFORM, "--project")
@click.pass_context
def command(ctx: click.Context, name: str) -> None:
    """Start a paused virtual cluster again; its workloads come back as they were."""
    from nestling.lifecycle import pause

    current = runner.new_session(ctx)
    arguments.say_ignored(ctx, current.reporter)
    runner.run(pause.resume(current, name))
