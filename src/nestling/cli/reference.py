"""The page docs/commands.md, made from the commands themselves: ``python -m nestling.cli.reference >
docs/commands.md``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from nestling.cli import cobra, helptext, ui
from nestling.cli import main as main_module

INTRODUCTION = """\
# Commands

This page is generated from the program: `python -m nestling.cli.reference > docs/commands.md`.
`nestling` and `vcluster` are the same program.

Data goes to stdout, messages go to stderr. Every mistake ends with exit code 1 and a message that says what to write
instead; Ctrl-C ends with 130. Colours and moving lines appear on a terminal only; `NO_COLOR` switches colours off.

## Flags of every command

They may stand before or after the command.
"""


def render(root: cobra.Group) -> str:
    """The whole page."""
    parts = [INTRODUCTION, _rows(cobra.GLOBAL_OPTIONS)]
    parts += [_section(command, ctx) for command, ctx in walk(root, click.Context(root, info_name="nestling"))]
    return "\n".join(parts)


def walk(group: click.Group, ctx: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command of a group that is shown, and the commands below it."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=ctx)
        yield command, inner
        if isinstance(command, click.Group):
            yield from walk(command, inner)


def _section(command: click.Command, ctx: click.Context) -> str:
    lines = [f"## `{ctx.command_path}`", "", helptext.description(command), ""]
    if not isinstance(command, click.Group):
        lines += ["```text", helptext.usage(command, ctx), "```", ""]
    examples = getattr(command, "examples", "")
    if examples:
        lines += ["```sh", helptext.dedent_examples(examples, ctx), "```", ""]
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    rows = _rows(options)
    return "\n".join([*lines, rows]) if rows else "\n".join(lines)


def _rows(options: list[click.Option] | tuple[click.Option, ...]) -> str:
    if not options:
        return ""
    rows = ["| flag | meaning |", "|---|---|"]
    rows += [
        f"| `{helptext.flag_names(option).strip()}` | {_cell(helptext.flag_help(option))} |"
        for option in sorted(options, key=helptext.long_name)
    ]
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    ui.emit(render(main_module.root))
