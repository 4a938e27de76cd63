"""``nestling pause``."""

from __future__ import annotations

import click

from nestling.cli import arguments, cobra, completing, runner

EXAMPLES = """
nestling pause my-vc
"""


@click.command("pause", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME", shell_complete=completing.clusters)
@arguments.ignored(arguments.NO_PLATFORM, "--project", switches=("--prevent-wakeup",))
@click.pass_context
def command(ctx: click.Context, name: str) -> None:
    """Stop a virtual cluster and its workloads on the host, and keep its data. ``resume`` and ``connect`` start it
    again."""
    from nestling.lifecycle import pause

    current = runner.new_session(ctx)
    arguments.say_ignored(ctx, current.reporter)
    runner.run(pause.pause(current, name))
