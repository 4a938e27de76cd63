from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nestling.cli import preparing
from nestling.cli import settings as cli_settings
from nestling.controlplane import handover, prepare, settings, syncer_process
from tests.unit.controlplane import samples

HEAVY = """
import json, sys
from nestling.cli import preparing
from nestling.controlplane import prepare, syncer_process
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def arguments(folder: Path, log_output: str = "plain") -> tuple[str, str, str]:
    """What the process is given, with 9 for the descriptor."""
    start = settings.StartSettings("my-vc", "team-x", folder / "c.yaml", folder / "data", folder / "run")
    words = preparing.component(start, cli_settings.Settings(log_output=log_output)).argv[3:]
    return (*words, "9")  # type: ignore[return-value]  # two words are given


def test_what_was_prepared_is_told_and_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    (tmp_path / "run").mkdir()
    config = samples.config()

    async def good(start: settings.StartSettings) -> prepare.Prepared:
        done.append(start.name)
        return prepare.Prepared(Path("/plan"), config, samples.SYNCER)

    def serve(*found: object) -> int:
        done.append(found)
        return 0

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(prepare, "prepare", good)
    monkeypatch.setattr(handover, "tell", lambda *told: done.append(told))
    monkeypatch.setattr(syncer_process, "serve", serve)
    assert preparing.main(arguments(tmp_path)) == 0
    assert done == ["my-vc", (9, Path("/plan")), (samples.SYNCER, config)]


@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_refusal_is_a_message_as_asked_for_and_no_plan_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    async def refuse(_start: settings.StartSettings) -> prepare.Prepared:
        raise settings.PreparationError("port 8443 is in use")

    monkeypatch.setattr(prepare, "prepare", refuse)
    monkeypatch.setattr(handover, "tell", None)
    assert preparing.main(arguments(tmp_path, form)) == 1
    said = capsys.readouterr().err
    assert "port 8443 is in use" in said
    assert said.startswith("{") == (form == "json")


def test_the_syncer_that_prepared_carries_no_command_line() -> None:
    result = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert {"click", "rich"}.isdisjoint(json.loads(result.stdout))
