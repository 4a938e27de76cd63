"""The help page of a command, as plain text in sections. Pure: the reference in docs/ is made of the same text."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Sequence

import click

WIDTH = 110


def render(
    command: click.Command,
    ctx: click.Context,
    *,
    global_params: Sequence[click.Option],
    examples: str,
    commands: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole page; ``commands`` are the names and lines of a group's commands."""
    sections = [
        description(command),
        "Usage:\n" + textwrap.indent(usage(command, ctx), "  "),
        "Examples:\n" + textwrap.indent(dedent_examples(examples, ctx), "  ") if examples else "",
        _table("Available Commands", commands),
        _flags("Flags", [param for param in _own(command, ctx) if not param.hidden]),
        _flags("Global Flags", list(global_params)),
    ]
    if isinstance(command, click.Group):
        sections.append(f'Use "{ctx.command_path} [command] --help" for more about a command.')
    return "\n\n".join(section for section in sections if section) + "\n"


def description(command: click.Command) -> str:
    """The text above the usage line, each paragraph on lines of its own."""
    text = inspect.cleandoc(command.help or command.short_help or "").split("\f")[0].strip()
    paragraphs = [paragraph.strip("\n") for paragraph in text.split("\n\n")]
    return "\n\n".join(
        paragraph if paragraph.startswith("  ") else textwrap.fill(" ".join(paragraph.split()), WIDTH)
        for paragraph in paragraphs
    )


def usage(command: click.Command, ctx: click.Context) -> str:
    """``nestling create NAME [flags]``."""
    if isinstance(command, click.Group):
        return f"{ctx.command_path} [command]"
    arguments = [param.make_metavar(ctx) for param in command.params if isinstance(param, click.Argument)]
    return " ".join([ctx.command_path, *arguments, "[flags]"])


def dedent_examples(examples: str, ctx: click.Context) -> str:
    """The examples with the name under which the program was called."""
    return inspect.cleandoc(examples).replace("nestling ", f"{ctx.find_root().info_name} ")


def _own(command: click.Command, ctx: click.Context) -> list[click.Option]:
    options = [param for param in command.params if isinstance(param, click.Option)]
    help_option = command.get_help_option(ctx)
    return [*options, help_option] if help_option else options


def _flags(title: str, options: Sequence[click.Option]) -> str:
    return _table(title, [(flag_names(option), flag_help(option)) for option in sorted(options, key=long_name)])


def long_name(option: click.Option) -> str:
    """What flags are sorted by."""
    return max(option.opts, key=len).lstrip("-")


def flag_names(option: click.Option) -> str:
    """``-f, --values FILE``, with room for the short name."""
    short = next((name for name in option.opts if not name.startswith("--")), "")
    longs = [name for name in option.opts if name.startswith("--")]
    switch = option.is_flag or option.metavar == ""
    value = "" if switch else " " + (option.metavar or (option.type.name or "text").upper())
    return (f"{short}, " if short else "    ") + ", ".join(longs) + value


def flag_help(option: click.Option) -> str:
    """The text of a flag with its default, where that is worth saying."""
    default = option.default
    shown = f" (default {str(default).lower()})" if default is True or type(default) in (int, float) else ""
    if isinstance(default, str) and default:
        shown = f" (default {default})"
    return (option.help or "").rstrip(".") + shown


def _table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    if not rows:
        return ""
    left = min(max(len(name) for name, _ in rows), 42)
    lines = []
    for name, text in rows:
        wrapped = textwrap.wrap(text, max(WIDTH - left - 5, 40)) or [""]
        if len(name) > left:
            lines.append(f"  {name}")
        else:
            lines.append(f"  {name:<{left}}   {wrapped.pop(0)}".rstrip())
        lines += [" " * (left + 5) + line for line in wrapped]
    return f"{title}:\n" + "\n".join(lines)
