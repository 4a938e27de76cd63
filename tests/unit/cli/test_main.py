from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import pytest

from nestling.cli import cobra, main, reference


def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nestling.cli.main", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **env},
    )


def test_every_command_in_the_list_exists_and_its_line_is_that_of_the_command() -> None:
    ctx = click.Context(main.root, info_name="nestling")
    for name, lazy in main.COMMANDS.items():
        command = main.root.get_command(ctx, name)
        assert isinstance(command, cobra.Command | cobra.Group), name
        assert lazy.short_help, name


def test_every_command_shows_examples_of_itself_in_its_help() -> None:
    ctx = click.Context(main.root, info_name="nestling")
    missing = [
        inner.command_path
        for command, inner in reference.walk(main.root, ctx)
        if inner.command_path != "nestling debug shell" and f"{inner.command_path} " not in _examples(command)
    ]
    assert missing == []


def _examples(command: click.Command) -> str:
    """With a space at the end of each line, so that the command's name is a word of its own."""
    return str(getattr(command, "examples", "")).replace("\n", " \n").replace(')"', ' )"')


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/usr/bin/nestling"], "nestling"),
        (["/usr/bin/vcluster"], "vcluster"),
        (["/x/nestling/cli/main.py"], "nestling"),
        (["/x/nestling/__main__.py"], "nestling"),
        (["-c"], "nestling"),
        ([], "nestling"),
    ],
)
def test_the_program_is_called_as_the_user_called_it(argv: list[str], expected: str) -> None:
    assert main.program_name(argv) == expected


def test_help_names_the_program_as_it_was_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["create", "--help"], program="vcluster") == 0
    text = capsys.readouterr().out
    assert "vcluster create NAME [flags]" in text
    assert "vcluster create my-vc" in text


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([], program="nestling") == 0
    assert "Available Commands:" in capsys.readouterr().out


def test_mistakes_end_with_exit_code_1_and_a_message_on_stderr() -> None:
    for args in (["nonsense"], ["create"], ["create", "x", "--nonsense"], ["list", "--output", "xml"]):
        result = run(*args)
        assert result.returncode == 1, args
        assert result.stdout == "", args
        assert "fatal" in result.stderr, args
        assert "Traceback" not in result.stderr, args


HEAVY = {"aiohttp", "pydantic", "rich", "yaml", "cryptography", "asyncio", "uvloop", "structlog", "msgspec"}


def loaded(*lines: Sequence[str], env: Mapping[str, str] | None = None) -> list[set[str]]:
    """The heavy libraries that are loaded after each of the command lines, run one after the other."""
    code = (
        "import json, sys\n"
        "from nestling.cli import main\n"
        "for line in json.loads(sys.argv[1]):\n"
        "    main.main(line, program='nestling')\n"
        "    sys.stderr.write(json.dumps(sorted(sys.modules)) + '\\n')\n"
    )
    words = [sys.executable, "-c", code, json.dumps(lines)]
    result = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, **(env or {})})
    return [HEAVY & set(json.loads(line)) for line in result.stderr.splitlines() if line.startswith("[")]


def test_help_loads_no_heavy_library() -> None:
    """What takes time is loading libraries: --help must come at once (spec: below 150 ms), and completion as well."""
    ctx = click.Context(main.root, info_name="nestling")
    lines = [["--help"], ["version"]] + [[name, "--help"] for name in main.root.list_commands(ctx)]
    assert dict(zip(map(" ".join, lines), loaded(*lines), strict=True)) == {" ".join(line): set() for line in lines}


def test_verbs_that_read_no_configuration_load_no_models(tmp_path: Path) -> None:
    env = {"NESTLING_HOME": str(tmp_path), "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")}
    (libraries,) = loaded(["list"], env=env)
    assert libraries.isdisjoint({"pydantic", "aiohttp", "cryptography"})


def test_log_output_json_prints_one_object_per_line_even_for_a_bad_command_line() -> None:
    result = run("--log-output", "json", "nonsense")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["fatal"]


def test_version_is_data() -> None:
    assert run("version").stdout.startswith("nestling version ")
    assert json.loads(run("version", "-o", "json").stdout)["version"]


def test_a_reader_that_has_gone_is_no_mistake() -> None:
    result = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m nestling.cli.main --help | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in result.stderr
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts_name_the_program(shell: str) -> None:
    result = run("completion", shell)
    assert result.returncode == 0, result.stderr
    assert "_NESTLING_COMPLETE" in result.stdout


def test_completion_offers_commands_and_names(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "nestling dis", "COMP_CWORD": "1", "_NESTLING_COMPLETE": "bash_complete"}
    assert run(**words).stdout.split() == ["plain,disconnect"]
    record = tmp_path / "clusters" / "default" / "ns" / "my-vc" / "cluster.json"
    record.parent.mkdir(parents=True)
    record.write_text(
        json.dumps(
            {
                "name": "my-vc",
                "namespace": "ns",
                "host": "default",
                "port": 1,
                "phase": "ready",
                "created": "2026-01-01T00:00:00+00:00",
                "version": "1",
                "owner": [0, 0, ""],
            }
        )
    )
    words = {"COMP_WORDS": "nestling connect m", "COMP_CWORD": "2", "_NESTLING_COMPLETE": "bash_complete"}
    assert run(**words, NESTLING_HOME=str(tmp_path)).stdout.split() == ["plain,my-vc"]


def test_the_command_reference_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "commands.md"
    assert page.read_text() == reference.render(main.root).rstrip("\n") + "\n", (
        "run: python -m nestling.cli.reference > docs/commands.md"
    )
