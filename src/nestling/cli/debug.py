"""``nestling debug``: what somebody needs who is to find a fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from nestling.cli import arguments, cobra, completing, runner

EXAMPLES = """
nestling debug collect my-vc
nestling debug collect my-vc --output-filename my-vc.tar.gz
"""

COLLECT = """
nestling debug collect my-vc

# More kinds than by default, and no logs
nestling debug collect my-vc --logs=false --virtual-resources jobs,cronjobs --host-resources resourcequotas
"""

SHELL = """
nestling connect my-vc -- bash
"""

NO_SHELL = (
    "the driver local has no pod to open a shell in: the control plane of a virtual cluster is made of processes of "
    "this machine. For a shell with its kubeconfig: nestling connect {name} -- bash. For its logs and state: "
    "nestling debug collect {name}"
)


@click.group("debug", cls=cobra.Group, examples=EXAMPLES)
def command() -> None:
    """Collect what is needed to find a fault."""


@command.command("collect", cls=cobra.Command, examples=COLLECT)
@click.argument("name", metavar="NAME", shell_complete=completing.clusters)
@cobra.flag("--release", default=True, help="Configuration, record and command lines")
@cobra.flag("--logs", default=True, help="Logs")
@cobra.flag("--virtual-info", default=True, help="Version of the virtual cluster")
@cobra.flag("--host-info", default=True, help="Version of the host")
@cobra.flag("--count-virtual-cluster-objects", default=True, help="How many objects of each resource there are")
@click.option("--virtual-resources", multiple=True, metavar="NAMES", help="Further resources of the virtual cluster")
@click.option("--host-resources", multiple=True, metavar="NAMES", help="Further resources of its host namespace")
@click.option("--output-filename", default="", metavar="FILE", help="Where to write the archive")
@click.pass_context
def collect(ctx: click.Context, /, name: str, **flags: Any) -> None:
    """Write an archive (.tar.gz) with configuration, status, logs, metrics, events and objects of both sides.

    Secrets are redacted. It works for a virtual cluster that does not run, too: what cannot be read is left out, and
    the archive says why.
    """
    from nestling.drivers import base
    from nestling.lifecycle import debug

    wanted = base.Diagnosis(
        release=flags["release"],
        logs=flags["logs"],
        host_info=flags["host_info"],
        virtual_info=flags["virtual_info"],
        count=flags["count_virtual_cluster_objects"],
        host_resources=_words(flags["host_resources"]),
        virtual_resources=_words(flags["virtual_resources"]),
    )
    runner.run(debug.collect(runner.new_session(ctx), name, wanted, flags["output_filename"]))


@command.command("shell", cls=cobra.Command, examples=SHELL)
@click.argument("name", metavar="NAME", shell_complete=completing.clusters)
@arguments.ignored("there is no pod", "--pod", "--target")
def shell(name: str) -> None:
    """For the driver helm: a shell beside the control plane. The driver local has no pod; see the example instead."""
    raise click.ClickException(NO_SHELL.format(name=name))


def _words(given: Sequence[str]) -> list[str]:
    return [word for text in given for word in text.split(",") if word]
