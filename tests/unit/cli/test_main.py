from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
import pytest
import yaml

from nestling.cli import cobra, info, main, reference


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


def completed(lines: Sequence[str], *, shell: str = "bash", env: Mapping[str, str]) -> list[list[str]]:
    """What the shell is offered at the end of each line; one process, since starting one takes time."""
    code = (
        "import json, os, sys\n"
        "from click import shell_completion\n"
        "from nestling.cli import main, powershell\n"
        "powershell.register()\n"
        "shell, lines = json.loads(sys.argv[1])\n"
        "for line in lines:\n"
        "    words = line.split(' ')\n"
        "    os.environ.update(COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))\n"
        "    if shell == 'powershell':\n"
        "        os.environ.update(COMP_WORDS='\\n'.join(filter(None, words)), COMP_CWORD=words[-1])\n"
        "    kind = shell_completion.get_completion_class(shell)\n"
        "    print(json.dumps(kind(main.root, {}, 'nestling', 'X').complete().splitlines()))\n"
    )
    words = [sys.executable, "-c", code, json.dumps([shell, lines])]
    result = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, **env})
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user with two virtual clusters and a kubeconfig."""
    known = {"host": "default", "port": 1, "phase": "ready", "version": "1", "owner": [0, 0, ""]}
    for name, namespace in (("my-vc", "team-a"), ("other", "team-b")):
        record = tmp_path / "clusters" / "default" / namespace / name / "cluster.json"
        record.parent.mkdir(parents=True)
        created = {"created": "2026-01-01T00:00:00+00:00"}
        record.write_text(json.dumps({"name": name, "namespace": namespace, **created, **known}))
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("contexts:\n- {name: prod, context: {}}\n- {name: stage, context: {}}\n")
    return {"NESTLING_HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path)}


OFFERED = {
    "nestling dis": ["disconnect"],
    "nestling connect m": ["my-vc"],
    "nestling connect ": ["my-vc", "other"],
    "nestling connect --print ": ["my-vc", "other"],
    "nestling connect -n team-b ": ["other"],
    "nestling certs check m": ["my-vc"],
    "nestling delete my-vc o": ["other"],
    "nestling list --namespace ": ["team-a", "team-b"],
    "nestling list -n team-a": ["team-a"],
    "nestling list --context s": ["stage"],
    "nestling use driver l": ["local"],
    "nestling list --output ": ["table", "json"],
    "nestling completion p": ["powershell"],
}


def test_completion_offers_what_fits(home: dict[str, str]) -> None:
    found = dict(zip(OFFERED, completed(list(OFFERED), env=home), strict=True))
    assert found == {line: [f"plain,{word}" for word in words] for line, words in OFFERED.items()}


def test_powershell_gets_one_line_for_each_offer(home: dict[str, str]) -> None:
    assert completed(["nestling connect m", "nestling connect "], shell="powershell", env=home) == [
        ["plain\tmy-vc\tteam-a"],
        ["plain\tmy-vc\tteam-a", "plain\tother\tteam-b"],
    ]


def test_the_program_itself_answers_powershell(home: dict[str, str]) -> None:
    asked = {"COMP_WORDS": "nestling\ndis", "COMP_CWORD": "dis", "_NESTLING_COMPLETE": "powershell_complete"}
    assert run(**asked, **home).stdout.startswith("plain\tdisconnect\t")


def test_a_broken_kubeconfig_does_not_break_completion(home: dict[str, str]) -> None:
    Path(home["KUBECONFIG"]).write_text("contexts: {")
    assert completed(["nestling list --context "], env=home) == [[]]


Said = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def said(home: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command line of that user prints, run in this process."""
    for name, value in home.items():
        monkeypatch.setenv(name, value)

    def run_here(*words: str) -> subprocess.CompletedProcess[str]:
        code = main.main(words, program="nestling")
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, printed.out, printed.err)

    return run_here


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["connect", "--local-port", "8443"], "--local-port"),
        (["connect", "--address=0.0.0.0"], "--address"),
        (["connect", "--background-proxy"], "--background-proxy"),
        (["delete", "--delete-configmap"], "--delete-configmap"),
        (["delete", "--project", "p"], "--project"),
        (["pause", "--prevent-wakeup"], "--prevent-wakeup"),
        (["resume", "--project=p"], "--project"),
        (["describe", "-p", "x"], "--project"),
    ],
)
def test_a_flag_of_the_original_that_can_do_nothing_is_accepted_and_said(
    said: Said, words: list[str], flag: str
) -> None:
    verb, *flags = words
    result = said(verb, "nothing", *flags)
    assert f"{flag} has no effect" in result.stderr
    assert 'there is no virtual cluster "nothing"' in result.stderr
    assert "has no effect" not in said(verb, "nothing", *flags, "--silent").stderr


def test_a_switch_that_says_what_happens_anyway_is_not_talked_about(said: Said) -> None:
    assert "has no effect" not in said("connect", "nothing", "--background-proxy=false").stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["--chart-name=x", "--chart-repo=x", "--chart-version=x", "--local-chart-dir=x", "--expose", "--expose-local"],
        ["--background-proxy=false", "--background-proxy-image=x", "--snapshot-temp-dir=x", "--add=false"],
        ["--project=x", "--cluster=x", "--template=x", "--template-version=x", "--params=x", "--set-param=x"],
        ["-l", "a=b", "--labels=a=b", "--annotations=a=b", "--link=x", "--description=x", "--display-name=x"],
        ["--team=x", "--user=x", "--use", "--recreate", "--skip-wait", "--parameters=x", "--set-params=x"],
    ],
)
def test_create_accepts_every_flag_of_the_original(said: Said, flags: list[str]) -> None:
    refused = said("create", "Not-A-Name", *flags).stderr
    assert 'the name "Not-A-Name"' in refused
    assert "no such option" not in refused.lower()


def test_create_does_not_pretend_to_restore(said: Said) -> None:
    result = said("create", "x", "--restore", "oci://registry/x")
    assert result.returncode == 1
    assert "snapshots are not available yet" in result.stderr


def test_a_shell_in_a_pod_is_refused_with_what_to_do_instead(said: Said) -> None:
    result = said("debug", "shell", "my-vc", "--target", "syncer", "--driver", "local")
    assert result.returncode == 1
    assert "nestling connect my-vc -- bash" in result.stderr


def test_info_has_the_keys_of_the_original(said: Said) -> None:
    found = yaml.safe_load(said("info").stdout)
    assert list(found) == ["info"]
    assert {"version", "os", "arch"} <= set(found["info"])
    assert (found["info"]["os"], found["info"]["arch"]) == ("linux", info.ARCHITECTURES[platform.machine()])


def test_the_machine_is_named_without_showing_its_id(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text("0123456789abcdef\n")
    shown = info.machine_id(file)
    assert len(shown) == 64
    assert "0123456789abcdef" not in shown
    assert info.machine_id(tmp_path / "none") == ""


def test_the_command_reference_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "commands.md"
    assert page.read_text() == reference.render(main.root).rstrip("\n") + "\n", (
        "run: python -m nestling.cli.reference > docs/commands.md"
    )
