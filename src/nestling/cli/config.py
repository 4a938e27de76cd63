"""``nestling config``: look at a vcluster.yaml without running anything."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from nestling.cli import cobra, ui

EXAMPLES = """
nestling config check vcluster.yaml
nestling config check base.yaml team.yaml --set controlPlane.proxy.port=9443
nestling config schema > vcluster.schema.json
"""


CHECK = """
nestling config check vcluster.yaml
nestling config check base.yaml team.yaml --set controlPlane.proxy.port=9443
"""
SCHEMA = """
nestling config schema > vcluster.schema.json
"""


@click.group("config", cls=cobra.Group, examples=EXAMPLES)
def command() -> None:
    """Check a vcluster.yaml, print its schema."""


@command.command("check", cls=cobra.Command, examples=CHECK)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Set a value, as Helm does")
@cobra.flag("--allow-unavailable", help="Accept keys whose feature does not exist yet")
def check(files: Sequence[str], sets: Sequence[str], *, allow_unavailable: bool) -> None:
    """Check values files, merged in their order; - is stdin. Says everything that is wrong at once."""
    from nestling.config import load, support

    sources = [load.Source(name=file, text=read(file)) for file in files]
    config = load.load(sources, sets, refuse_unsupported=not allow_unavailable)
    ui.emit(f"{', '.join(files)}: no problems")
    if only_helm := support.helm_only(config):
        ui.emit("used by a Helm installation only: " + ", ".join(only_helm))


@command.command("schema", cls=cobra.Command, examples=SCHEMA)
def schema() -> None:
    """Print the JSON schema of vcluster.yaml."""
    from nestling.config import schema as schema_

    ui.emit(schema_.text().rstrip())


def read(file: str) -> str:
    """The text of a file, or of stdin for ``-``."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is no text in UTF-8 (byte {error.start}); save it as UTF-8") from error
