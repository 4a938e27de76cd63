"""``nestling certs``: the certificates of a virtual cluster."""

from __future__ import annotations

import datetime

import click

from nestling.cli import cobra, completing, runner, ui

EXAMPLES = """
nestling certs check my-vc
nestling certs rotate my-vc
nestling certs rotate-ca my-vc
"""

CHECK = """
nestling certs check my-vc

# Those that are not in order
nestling certs check my-vc --output json | jq '.[] | select(.status != "OK")'
"""

ROTATE = """
nestling certs rotate my-vc
"""

ROTATE_CA = """
nestling certs rotate-ca my-vc && nestling connect my-vc
"""


@click.group("certs", cls=cobra.Group, examples=EXAMPLES)
def command() -> None:
    """Look at and renew the certificates of a virtual cluster."""


@command.command("check", cls=cobra.Command, examples=CHECK)
@click.argument("name", metavar="NAME", shell_complete=completing.clusters)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", metavar="FORM", help="table or json")
@click.pass_context
def check(ctx: click.Context, name: str, output: str) -> None:
    """List the certificates of a virtual cluster, running or paused, and until when they last.

    What to do about those that have expired, or will within 30 days, is said on stderr.
    """
    from nestling.lifecycle import certs

    current = runner.new_session(ctx)
    now = datetime.datetime.now(datetime.UTC)
    found = runner.run(certs.check(current, name))
    ui.emit(certs.as_json(found, now=now) if output == "json" else certs.as_table(found, now=now))
    for advice in certs.advice(found, name, now=now):
        current.reporter.warn(advice)


#: What the driver helm runs in the pod of a control plane.
_HERE = cobra.flag("--here", help="Those of the control plane in this container", hidden=True)


@command.command("rotate", cls=cobra.Command, examples=ROTATE)
@click.argument("name", metavar="NAME", required=False, shell_complete=completing.clusters)
@_HERE
@click.pass_context
def rotate(ctx: click.Context, name: str | None, *, here: bool) -> None:
    """Make all certificates new, signed by the same authorities.

    The virtual cluster is stopped for some seconds. Kubeconfigs that are in use stay valid until they expire.
    """
    _rotate(ctx, name, here=here, authorities=False)


@command.command("rotate-ca", cls=cobra.Command, examples=ROTATE_CA)
@click.argument("name", metavar="NAME", required=False, shell_complete=completing.clusters)
@_HERE
@click.pass_context
def rotate_ca(ctx: click.Context, name: str | None, *, here: bool) -> None:
    """Make the authorities and all certificates new; tokens of service accounts stay valid.

    Kubeconfigs made before do not work any more: connect again. A ca.crt with ca.key that you put into the folder of
    certificates before signs from then on.
    """
    _rotate(ctx, name, here=here, authorities=True)


def _rotate(ctx: click.Context, name: str | None, *, here: bool, authorities: bool) -> None:
    if here:
        from nestling.controlplane import rotation

        ui.emit(str(runner.run(rotation.here(authorities=authorities))))
        return
    if name is None:
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[0])
    from nestling.lifecycle import certs

    runner.run(certs.rotate(runner.new_session(ctx), name, authorities=authorities))
