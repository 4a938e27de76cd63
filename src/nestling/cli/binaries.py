"""``nestling binaries``: the stock programs that Nestling starts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from nestling.binaries import progress as progress_
from nestling.cli import cobra, settings, ui

EXAMPLES = """
nestling binaries list
nestling binaries fetch
nestling binaries fetch --node
nestling binaries fetch --kubernetes-version 1.34 kube-apiserver kubectl
nestling binaries path etcd
"""

LIST = """
nestling binaries list
nestling binaries list --kubernetes-version 1.34 -o json
"""
FETCH = """
# What a cluster on this machine needs, with the default Kubernetes
nestling binaries fetch
nestling binaries fetch --kubernetes-version 1.34 kube-apiserver kubectl
"""
PATH = """
"$(nestling binaries path kubectl)" version --client
"""

_VERSION = click.option(
    "--kubernetes-version", metavar="VERSION", help="Kubernetes version, like 1.34 or v1.34.4 (default: the newest)"
)


@click.group("binaries", cls=cobra.Group, examples=EXAMPLES)
def command() -> None:
    """List and fetch the stock Kubernetes programs that Nestling starts."""


@command.command("list", cls=cobra.Command, examples=LIST)
@_VERSION
@click.option(
    "-o", "--output", type=click.Choice(["table", "json"]), default="table", metavar="FORM", help="table or json"
)
def list_(kubernetes_version: str | None, output: str) -> None:
    """List the programs: version, and where they are on this machine. Fetches nothing."""
    from nestling.binaries import catalogue, chain, versions

    found = chain.Chain()
    rows = []
    for binary in found.binaries(catalogue.NAMES, kubernetes_version=kubernetes_version):
        place = found.find(binary)
        path, provider = (str(place.path), place.provider) if place else ("", "missing")
        rows.append({"name": binary.name, "version": binary.version, "provider": provider, "path": path})
    if output == "json":
        ui.emit(json.dumps({"binaries": rows, "kubernetesVersions": versions.KUBERNETES}, indent=4))
        return
    ui.emit(_table([["NAME", "VERSION", "FROM", "PATH"], *(list(row.values()) for row in rows)]))
    ui.emit(f"\nKubernetes versions: {', '.join(versions.KUBERNETES)} (default {versions.DEFAULT_KUBERNETES})")


@command.command("fetch", cls=cobra.Command, examples=FETCH)
@_VERSION
@cobra.flag("--node", help="Those of a real node of the embedded host too; building them takes half an hour")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.pass_obj
def fetch(state: settings.Settings, names: Sequence[str], kubernetes_version: str | None, *, node: bool) -> None:
    """Get programs that are missing; without names, those that a cluster on this machine needs."""
    from nestling.binaries import catalogue, chain

    wanted = (*(names or catalogue.LOCAL_NAMES), *(catalogue.NODE_NAMES if node else ()))
    paths = chain.ensure(wanted, kubernetes_version=kubernetes_version, progress=progress(state))
    ui.emit("\n".join(map(str, paths.values())))


@command.command("path", cls=cobra.Command, examples=PATH)
@_VERSION
@click.argument("name")
def path(name: str, kubernetes_version: str | None) -> None:
    """Print where a program is; fails when it has to be fetched first."""
    from nestling.binaries import chain

    found = chain.Chain()
    (binary,) = found.binaries([name], kubernetes_version=kubernetes_version)
    place = found.find(binary)
    if place is None:
        version = f" --kubernetes-version {kubernetes_version}" if kubernetes_version else ""
        raise click.ClickException(f"{binary} is not on this machine yet; run: nestling binaries fetch{version} {name}")
    ui.emit(str(place.path))


def progress(state: settings.Settings) -> progress_.Progress:
    """Return how fetching is shown: one line that is redrawn on a terminal, else messages every few seconds."""
    reporter = ui.reporter(state)
    if ui.is_terminal(sys.stderr) and state.log_output == "plain" and not state.silent:
        return progress_.lines(sys.stderr)
    say = {"started": reporter.info, "running": reporter.info, "done": reporter.done, "failed": reporter.warn}
    return progress_.Throttled(lambda step: say[step.state](str(step)))


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
