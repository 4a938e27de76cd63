"""click with the habits of the original's command line.

Scripts that were written for the original rely on them: global flags before or after the command, ``--flag=false``,
help in
sections with examples, exit code 1 for every mistake, and a suggestion for a mistyped command (spec §7).
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import click

from nestling.cli import completing, helptext, settings


class BoolFlag(click.Option):
    """A switch that takes ``--flag``, ``--flag=true`` and ``--flag=false``, and never the next word."""

    def __init__(self, param_decls: Sequence[str], **attrs: Any) -> None:
        super().__init__(param_decls, **{"type": click.BOOL, "is_flag": False, "metavar": "", **attrs})


def flag(*names: str, default: bool = False, help: str, hidden: bool = False) -> Callable[[Any], Any]:  # noqa: A002  click's own name; a decorator's arguments
    """Declare a switch of a command."""
    return click.option(*names, cls=BoolFlag, default=default, help=help, hidden=hidden)


def _global_options() -> tuple[click.Option, ...]:
    def option(*names: str, text: str, switch: bool = False, **more: Any) -> click.Option:
        kind = BoolFlag if switch else click.Option
        return kind(list(names), help=text, default=None, expose_value=False, callback=settings.remember, **more)

    return (
        option("--config", "global_config", text="Settings file of this command (default $NESTLING_HOME/config.json)"),
        option(
            "--context",
            "global_context",
            text="Context of the kubeconfig that names the host cluster",
            shell_complete=completing.contexts,
        ),
        option("--debug", "global_debug", text="Say more, and show where a programming error happened", switch=True),
        option(
            "--driver",
            "global_driver",
            text="Where virtual clusters run: local (this machine) or helm",
            shell_complete=completing.drivers,
        ),
        option(
            "--log-output",
            "global_log_output",
            text="Form of the messages on stderr: plain, raw or json",
            type=click.Choice(["plain", "raw", "json"]),
            metavar="FORM",
        ),
        option(
            "-n",
            "--namespace",
            "global_namespace",
            text="Namespace on the host",
            shell_complete=completing.namespaces,
        ),
        option("-s", "--silent", "global_silent", text="No messages but errors", switch=True),
    )


GLOBAL_OPTIONS = _global_options()


class Command(click.Command):
    """A command with the global flags, ``--flag=false`` and help in sections; ``examples`` are shown in the help."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        kwargs["context_settings"] = {"help_option_names": ["-h", "--help"], **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)
        self.examples = examples

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters and the global flags that it does not define itself."""
        return [*super().get_params(ctx), *self.global_params()]

    def global_params(self) -> list[click.Option]:
        """The global flags; a command that has a flag of the same name keeps its own."""
        taken = {name for param in self.params for name in (*param.opts, *param.secondary_opts)}
        return [option for option in GLOBAL_OPTIONS if not taken.intersection(option.opts)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write switches in the one form that click's parser reads without taking the next word."""
        rest = super().parse_args(ctx, list(spell_out(args, self.get_params(ctx), interspersed=True)))
        if ctx.resilient_parsing:
            _take_no_word(self.get_params(ctx))
        return rest

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help in sections: usage, examples, flags, global flags."""
        formatter.write(helptext.render(self, ctx, global_params=self.global_params(), examples=self.examples))


class Lazy(NamedTuple):
    """A command that is imported when it is called: its module, its line in the list, and the group in which it is
    shown."""

    module: str
    short_help: str


class Group(click.Group):
    """A group of commands; those in ``lazy`` are imported only when one of them runs, so that ``--help`` is fast."""

    command_class = Command
    group_class = type

    def __init__(
        self,
        *args: Any,
        examples: str = "",
        lazy: Mapping[str, Lazy] | None = None,
        aliases: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs["context_settings"] = {"help_option_names": ["-h", "--help"], **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.lazy = dict(lazy or {})
        self.aliases = dict(aliases or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted; imports nothing."""
        return sorted({*super().list_commands(ctx), *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command if need be."""
        cmd_name = self.aliases.get(cmd_name, cmd_name)
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in self.lazy:
            found = _load(self.lazy[cmd_name].module, cmd_name)
            self.add_command(found, cmd_name)
        return found

    def overview(self, ctx: click.Context) -> list[tuple[str, str]]:
        """The names and lines of all commands that are shown; imports nothing."""
        rows = []
        for name in self.list_commands(ctx):
            command = super().get_command(ctx, name)
            if name in self.lazy:
                rows.append((name, self.lazy[name].short_help))
            elif command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=100)))
        return rows

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            raise click.UsageError(self._unknown(ctx, name), ctx=ctx)
        return (name if command else None), command, args[1:]

    def _unknown(self, ctx: click.Context, name: str) -> str:
        close = difflib.get_close_matches(name, self.list_commands(ctx), n=3, cutoff=0.6)
        close += [other for other in self.list_commands(ctx) if other.startswith(name) and other not in close]
        meant = "\n\nDid you mean this?\n" + "".join(f"\t{other}\n" for other in close) if close else "\n"
        return f'unknown command "{name}" for "{ctx.command_path}"{meant}\nRun "{ctx.command_path} --help" for usage'

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The group's own parameters and the global flags."""
        return [*super().get_params(ctx), *GLOBAL_OPTIONS]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As for a command, up to the name of the subcommand."""
        return super().parse_args(ctx, list(spell_out(args, self.get_params(ctx), interspersed=False)))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help in sections: usage, examples, commands, flags."""
        page = helptext.render(
            self, ctx, global_params=GLOBAL_OPTIONS, examples=self.examples, commands=self.overview(ctx)
        )
        formatter.write(page)


def _take_no_word(params: Sequence[click.Parameter]) -> None:
    """Tell the shell's completion that no value follows a switch; the process does nothing else after that."""
    for param in params:
        if isinstance(param, BoolFlag):
            param.is_flag = True


def _load(path: str, name: str) -> click.Command:
    """The command that a module defines: its attribute ``command``, else the one click command with that name."""
    module = importlib.import_module(path)
    for candidate in (getattr(module, "command", None), *vars(module).values()):
        if isinstance(candidate, click.Command) and (
            candidate.name == name or candidate is vars(module).get("command")
        ):
            return candidate
    raise TypeError(f"{path} defines no click command for {name!r}")


def spell_out(args: Sequence[str], params: Sequence[click.Parameter], *, interspersed: bool) -> Iterator[str]:
    """Rewrite switches as ``--flag=true``; leave the values of other flags and everything after ``--`` alone.

    Without ``interspersed`` the first word that is no flag ends the work: it names a subcommand, which parses the rest.
    """
    switches = {name: param for param in params if isinstance(param, BoolFlag) for name in param.opts}
    plain = {name for param in params if isinstance(param, click.Option) and param.is_flag for name in param.opts}
    rest = iter(args)
    for arg in rest:
        if arg == "--" or (not interspersed and not arg.startswith("-")):
            yield arg
            break
        if not arg.startswith("-") or arg == "-":
            yield arg
        elif arg.startswith("--"):
            yield f"{arg}=true" if arg in switches else arg
            if "=" not in arg and arg not in switches and arg not in plain and _takes_value(arg, params):
                yield from _next(rest)
        else:
            yield from _short(arg, params, switches, rest)
    yield from rest


def _short(
    arg: str, params: Sequence[click.Parameter], switches: Mapping[str, click.Parameter], rest: Iterator[str]
) -> Iterator[str]:
    """``-sn team``: each letter of a cluster on its own, as Go's flag library reads it."""
    for position, letter in enumerate(arg[1:], start=1):
        name = f"-{letter}"
        if name in switches:
            yield f"{max(switches[name].opts, key=len)}=true"
        elif _takes_value(name, params):
            yield name
            attached = arg[position + 1 :].removeprefix("=")
            yield from [attached] if attached else _next(rest)
            return
        else:
            yield name


def _takes_value(name: str, params: Sequence[click.Parameter]) -> bool:
    return any(isinstance(param, click.Option) and name in param.opts and not param.is_flag for param in params)


def _next(rest: Iterator[str]) -> list[str]:
    return [value for value in [next(rest, None)] if value is not None]
