"""``nestling convert``: values of older charts as today's vcluster.yaml."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nestling.cli import arguments, cobra, config, settings, ui

EXAMPLES = """
nestling convert old-values.yaml > vcluster.yaml

# What helm knows of a release of an older chart
helm get values my-vc -n team-a | nestling convert - > vcluster.yaml
"""


@click.command("convert", cls=cobra.Command, examples=EXAMPLES)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("-f", "--file", "more", multiple=True, metavar="FILE", help="The same, with a flag; - is stdin")
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", metavar="FORM", help="yaml or json"
)
@arguments.ignored("the shape of the values says which chart they were for", "--distro")
@click.pass_context
def command(ctx: click.Context, files: Sequence[str], more: Sequence[str], output: str) -> None:
    """Translate values of the charts before 0.20, and of the first chart of 2021, into today's vcluster.yaml.

    Several files are merged in their order. The result goes to stdout; what cannot be carried over, or is not available
    yet, is named on stderr. Values of today pass through as they are.
    """
    import json

    from nestling.config import errors as config_errors
    from nestling.config import load, merge, yaml_text
    from nestling.lifecycle import convert

    reporter = ui.reporter(settings.of(ctx))
    # The original calls it `convert config`.
    words = [*(files[1:] if files[:1] == ("config",) else files), *more] or ["-"]
    values: dict[str, object] = {}
    for word in words:
        document = yaml_text.read(word, config.read(word))
        if document.problems:
            raise config_errors.ConfigError(document.problems)
        values = merge.overlay(values, document.values)
    done = convert.convert(values)
    for one in done.left:
        reporter.warn(f"{config_errors.dotted(one.path)} {one.message}: {one.hint}")
    text = yaml_text.write(done.values)
    try:
        load.load([load.Source("the converted values", text)])
    except config_errors.ConfigError as error:
        for problem in error.problems:
            reporter.warn(str(problem))
    ui.emit(json.dumps(done.values, indent=2) if output == "json" else text)
