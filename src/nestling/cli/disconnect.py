"""``nestling disconnect``."""

from __future__ import annotations

import click

from nestling.cli import cobra, runner, settings, ui

EXAMPLES = """
nestling disconnect
"""


@click.command("disconnect", cls=cobra.Command, examples=EXAMPLES)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Switch the kubeconfig back to the context that was current before connect, and forward its port no longer."""
    from nestling.drivers.helm import background
    from nestling.drivers.local import driver
    from nestling.lifecycle import connect, kubeconfig_file

    files = kubeconfig_file.Files.from_env()
    left, now = connect.disconnect(files)
    runner.run(background.end(background.folder(driver.home(), files.owner_of(left))))
    target = f"switched back to the context {now}" if now else "no context is current now"
    ui.reporter(settings.of(ctx)).done(f"Left {left}: {target}")
