from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from nestling.drivers import errors
from nestling.drivers.helm import hosts, program

SAYS = """#!/bin/sh
printf '%s\\n' "$@" "KUBECONFIG=$KUBECONFIG" > {folder}/said
for word in "$@"; do
  case "$word" in */values.yaml) cp -p "$word" {folder}/values; stat -c %a "$word" > {folder}/mode;; esac
done
{then}
"""


def helm(folder: Path, then: str = "exit 0") -> program.Helm:
    path = folder / "helm"
    path.write_text(SAYS.format(folder=folder, then=then))
    path.chmod(0o755)
    return program.Helm(path, hosts.HostCluster((folder / "kubeconfig",), "prod", "prod"))


async def test_a_release_is_installed_or_upgraded_with_values_that_nobody_else_reads(tmp_path: Path) -> None:
    await helm(tmp_path).apply("my-vc", "ns", ["/chart"], "password: x\n")
    words = (tmp_path / "said").read_text().splitlines()
    assert words[:3] == ["upgrade", "my-vc", "/chart"]
    assert {"--install", "--kube-context", "prod"} <= set(words)
    assert words[-1] == f"KUBECONFIG={tmp_path / 'kubeconfig'}"
    assert not any("password" in word for word in words)
    assert (tmp_path / "values").read_text() == "password: x\n"
    assert (tmp_path / "mode").read_text() == "600\n"
    file = next(word for word in words if word.endswith("values.yaml"))
    assert not Path(file).parent.exists()


async def test_a_failure_is_told_in_helms_words(tmp_path: Path) -> None:
    refuses = helm(tmp_path, "echo 'WARNING: x' >&2; echo 'Error: cannot do it' >&2; exit 1")
    with pytest.raises(errors.UserError, match=r"^helm upgrade failed: cannot do it$"):
        await refuses.apply("my-vc", "ns", ["/chart"], "")


async def test_a_release_that_is_not_there_is_no_failure(tmp_path: Path) -> None:
    absent = helm(tmp_path, "echo 'Error: uninstall: Release not loaded: my-vc: release: not found' >&2; exit 1")
    assert await absent.uninstall("my-vc", "ns") is False
    assert await absent.status("my-vc", "ns") == ""


async def test_the_status_of_a_release(tmp_path: Path) -> None:
    told = helm(tmp_path, """echo '{"info": {"status": "pending-install"}}'""")
    assert await told.status("my-vc", "ns") == "pending-install"


async def test_an_interruption_lets_helm_end_by_itself(tmp_path: Path) -> None:
    """A helm that is killed leaves a release that blocks every later one."""
    ends = f"trap 'echo asked > {tmp_path}/asked; exit 1' TERM"
    slow = helm(tmp_path, f"{ends}; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done")
    task = asyncio.get_running_loop().create_task(slow.apply("my-vc", "ns", ["/chart"], ""))
    async with asyncio.timeout(30):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "asked").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
