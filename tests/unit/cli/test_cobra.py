from __future__ import annotations

import sys

import click
import pytest
from click import testing

from nestling.cli import cobra, settings


@click.group("tool", cls=cobra.Group)
def tool() -> None:
    """A tool."""


@tool.command("make", examples="nestling make x")
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("-f", "--file", "files", multiple=True, help="A file")
@cobra.flag("--connect", default=True, help="Connect")
@cobra.flag("--wait", help="Wait")
@click.pass_context
def make(
    ctx: click.Context, name: str, words: tuple[str, ...], files: tuple[str, ...], *, connect: bool, wait: bool
) -> None:
    """Make something."""
    given = settings.of(ctx)
    click.echo(f"{name} {words} {files} connect={connect} wait={wait} ns={given.namespace} silent={given.silent}")


def run(*args: str) -> testing.Result:
    return testing.CliRunner().invoke(tool, list(args), obj=settings.Settings())


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["make", "x"], "x () () connect=True wait=False ns=None silent=False"),
        (["make", "--connect=false", "x"], "x () () connect=False wait=False ns=None silent=False"),
        (["make", "--wait", "x"], "x () () connect=True wait=True ns=None silent=False"),
        (["make", "x", "--wait=true", "-f", "a", "-fb"], "x () ('a', 'b') connect=True wait=True ns=None silent=False"),
        (["make", "x", "-f", "--wait"], "x () ('--wait',) connect=True wait=False ns=None silent=False"),
        (["make", "x", "-f=v.yaml"], "x () ('v.yaml',) connect=True wait=False ns=None silent=False"),
    ],
)
def test_switches_never_take_the_next_word(args: list[str], expected: str) -> None:
    assert run(*args).output.strip() == expected


@pytest.mark.parametrize(
    "args",
    [
        ["-n", "team", "-s", "make", "x"],
        ["make", "x", "-n", "team", "-s"],
        ["-s", "make", "-n=team", "x"],
        ["make", "-sn", "team", "x"],
        ["make", "-sn=team", "x"],
        ["--namespace=team", "--silent=true", "make", "x"],
    ],
)
def test_global_flags_stand_before_or_after_the_command(args: list[str]) -> None:
    assert run(*args).output.strip() == "x () () connect=True wait=False ns=team silent=True"


def test_a_global_flag_that_is_given_twice_counts_as_the_later_one() -> None:
    assert "ns=b" in run("-n", "a", "make", "x", "-n", "b").output


def test_what_follows_two_dashes_is_left_alone() -> None:
    output = run("make", "x", "--", "kubectl", "-n", "y", "--wait", "--connect=false").output
    assert "('kubectl', '-n', 'y', '--wait', '--connect=false')" in output
    assert "ns=None" in output


def test_an_unknown_command_is_answered_with_the_one_that_was_meant() -> None:
    result = run("mak")
    assert 'unknown command "mak" for "tool"' in result.output
    assert "Did you mean this?\n\tmake" in result.output


def test_an_unknown_command_that_resembles_none_is_only_named() -> None:
    assert "Did you mean" not in run("zzzzzz").output


def test_help_has_the_sections_of_the_original() -> None:
    text = run("make", "--help").output
    positions = [text.index(part) for part in ("Make something.", "Usage:", "Examples:", "\nFlags:", "Global Flags:")]
    assert positions == sorted(positions)
    assert "(default true)" in text


def test_lazy_commands_are_imported_when_called_and_not_for_the_list() -> None:
    module = "nestling.cli.version"
    sys.modules.pop(module, None)
    group = cobra.Group("tool", lazy={"version": cobra.Lazy(module, "Print it")}, aliases={"v": "version"})
    listing = testing.CliRunner().invoke(group, ["--help"])
    assert "version   Print it" in listing.output
    assert module not in sys.modules
    assert "tool version" in testing.CliRunner().invoke(group, ["v"], prog_name="tool").output
    assert module in sys.modules


def test_a_module_without_a_command_is_a_mistake_of_ours() -> None:
    group = cobra.Group("tool", lazy={"x": cobra.Lazy("nestling.cli.settings", "X")})
    result = testing.CliRunner().invoke(group, ["x"])
    assert isinstance(result.exception, TypeError)
