"""``nestling disconnect``."""

from __future__ import annotations

import click

from nestling.cli import cobra, settings, ui

EXAMPLES = """
nestling disconnect
"""


@click.command("disconnect", cls=cobra.Command, examples=EXAMPLES)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Switch the kubeconfig back to the context that was current before connect."""
    from nestling.lifecycle import connect, kubeconfig_file

    left, now = connect.disconnect(kubeconfig_file.Files.from_env())
    target = f"switched back to the context {now}" if now else "no context is current now"
    ui.reporter(settings.of(ctx)).done(f"Left {left}: {target}")
