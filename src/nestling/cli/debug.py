"""``nestling debug``: what somebody needs who is to find a fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from nestling.cli import cobra, completing, runner

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
nestling debug shell my-vc

# One command, beside another pod of the control plane
nestling debug shell my-vc --pod my-vc-1 -- ls /proc/1/root/data
"""

#: What the chart uses where it needs a shell, too.
IMAGE = "mirror.gcr.io/library/alpine:3.20"


@click.group("debug", cls=cobra.Group, examples=EXAMPLES)
def command() -> None:
    """Collect what is needed to find a fault, look into a control plane."""


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
@click.argument("words", metavar="[-- COMMAND ...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--pod", default="", metavar="NAME", help="Which pod of the control plane (default: one that is ready)")
@click.option("--target", default="syncer", show_default=True, metavar="NAME", help="Container to look into")
@click.option("--image", default=IMAGE, show_default=True, metavar="IMAGE", help="Where the shell comes from")
@click.pass_context
def shell(ctx: click.Context, /, name: str, words: tuple[str, ...], **flags: str) -> int:
    """Open a shell beside the control plane: an ephemeral container in its pod.

    It sees the processes of the container, and its files under /proc/1/root. The driver local has no pod: nestling
    connect NAME -- bash gives a shell with the kubeconfig instead.
    """
    import sys

    from nestling.drivers import base
    from nestling.lifecycle import debug

    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    wanted = base.Shell(
        image=flags["image"], words=words or ("sh",), pod=flags["pod"], target=flags["target"], terminal=terminal
    )
    return runner.run(debug.shell(runner.new_session(ctx), name, wanted))


def _words(given: Sequence[str]) -> list[str]:
    return [word for text in given for word in text.split(",") if word]
