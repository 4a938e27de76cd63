from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import yaml

from nestling.drivers import errors
from nestling.lifecycle import connect, kubeconfig_file
from tests.unit.lifecycle import fakes

CONTEXT = "vcluster_my-vc_vcluster-my-vc_nestling-default"
PROD = """\
apiVersion: v1
kind: Config
contexts:
- {name: prod, context: {cluster: prod, user: me}}
current-context: prod
"""


async def test_connect_writes_the_context_and_switches_and_disconnect_goes_back(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    current.files.paths[0].write_text(PROD)
    await connect.connect(current, "my-vc", connect.Access())
    assert current.files.current_context() == CONTEXT
    assert driver.calls == ["ensure_running my-vc"]
    assert connect.disconnect(current.files) == (CONTEXT, "prod")
    assert current.files.current_context() == "prod"
    assert CONTEXT in current.files.contexts()


async def test_disconnect_goes_back_to_the_host_even_through_several_virtual_clusters(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster(), fakes.cluster("b"))
    current.files.paths[0].write_text(PROD)
    await connect.connect(current, "my-vc", connect.Access())
    await connect.connect(current, "b", connect.Access())
    await connect.connect(current, "b", connect.Access())
    assert connect.disconnect(current.files)[1] == "prod"


async def test_disconnect_without_a_way_back_leaves_no_context_current(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect(current, "my-vc", connect.Access())
    assert connect.disconnect(current.files) == (CONTEXT, "")
    assert current.files.current_context() == ""


async def test_disconnect_knows_the_contexts_of_the_original(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(PROD.replace("current-context: prod", "current-context: vcluster_a_b_prod"))
    assert connect.disconnect(kubeconfig_file.Files((path,))) == ("vcluster_a_b_prod", "prod")


def test_disconnect_when_not_connected_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(PROD)
    with pytest.raises(errors.UserError, match='the current context "prod" is none'):
        connect.disconnect(kubeconfig_file.Files((path,)))
    assert path.read_text() == PROD


async def test_print_touches_no_file(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    text = await connect.connect_and_print(current, "my-vc", connect.Access(server="vc.example.org"))
    data = yaml.safe_load(text)
    assert data["current-context"] == CONTEXT
    assert data["clusters"][0]["cluster"]["server"] == "https://vc.example.org"
    assert not current.files.paths[0].exists()


async def test_insecure_leaves_the_authority_out(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    data = yaml.safe_load(await connect.connect_and_print(current, "my-vc", connect.Access(insecure=True)))
    assert data["clusters"][0]["cluster"] == {"server": "https://127.0.0.1:16001", "insecure-skip-tls-verify": True}


async def test_the_context_may_have_another_name(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect(current, "my-vc", connect.Access(context_name="mine"))
    assert current.files.current_context() == "mine"
    assert connect.disconnect(current.files) == ("mine", "")


async def test_a_command_runs_with_a_kubeconfig_of_its_own(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    out = tmp_path / "out"
    words = ["sh", "-c", f'cp "$KUBECONFIG" {out}; exit 3']
    assert await connect.connect_and_run(current, "my-vc", connect.Access(), words, environ=dict(os.environ)) == 3
    assert yaml.safe_load(out.read_text())["current-context"] == CONTEXT
    assert not current.files.paths[0].exists()


async def test_a_kubeconfig_can_go_into_a_file_of_its_own(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect_into_file(current, "my-vc", connect.Access(), tmp_path / "other")
    assert CONTEXT in (tmp_path / "other").read_text()
    assert not current.files.paths[0].exists()


async def test_an_unknown_name_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    with pytest.raises(errors.NotFoundError, match=r"there are: my-vc \(vcluster-my-vc\)"):
        await connect.connect(current, "other", connect.Access())
    current, _ = fakes.new_session(tmp_path)
    with pytest.raises(errors.NotFoundError, match="nestling create other"):
        await connect.connect(current, "other", connect.Access())


async def test_a_name_in_another_namespace_is_answered_with_that_namespace(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster(), namespace="elsewhere")
    with pytest.raises(errors.NotFoundError, match="add -n vcluster-my-vc"):
        await connect.connect(current, "my-vc", connect.Access())


async def test_a_name_in_two_namespaces_needs_the_namespace(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster("a", "x"), fakes.cluster("a", "y"))
    with pytest.raises(errors.UserError, match="in the namespaces x, y; add -n NAMESPACE"):
        await connect.connect(current, "a", connect.Access())


@pytest.mark.parametrize("server", ["ftp://x", "unix:///x"])
def test_a_server_that_is_no_api_server_is_refused(server: str) -> None:
    with pytest.raises(errors.UserError, match="--server"):
        connect.server_url(server)


async def test_what_leads_nowhere_once_the_command_ends_is_not_printed(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    driver.name = "helm"
    access = connect.Access(background=False)
    with pytest.raises(errors.UserError, match="a printed kubeconfig leads nowhere"):
        await connect.connect_and_print(current, "my-vc", access)
    assert driver.calls == []
    assert await connect.connect_and_print(current, "my-vc", connect.Access(background=False, server="vc.example.org"))


async def test_a_port_that_is_forwarded_by_the_command_is_forwarded_until_it_is_interrupted(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    driver.holds = True
    work = connect.connect(current, "my-vc", connect.Access(background=False, local_port=7000, pod="p"))
    task = asyncio.get_running_loop().create_task(work)
    async with asyncio.timeout(30):
        while not any("Ctrl-C" in line for line in current.reporter.lines):  # type: ignore[attr-defined]  # the fake's  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert current.files.current_context() == CONTEXT
    assert (driver.ways[0].local_port, driver.ways[0].pod, driver.ways[0].background) == (7000, "p", False)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_command_needs_nothing_that_goes_on_behind_it(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect_and_run(current, "my-vc", connect.Access(), ["true"], environ=dict(os.environ))
    assert [way.background for way in driver.ways] == [False]


async def test_the_virtual_cluster_of_a_context_is_known_by_its_usual_name(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect(current, "my-vc", connect.Access(context_name="mine"))
    assert current.files.owner_of("mine") == CONTEXT
    assert current.files.owner_of("vcluster_a_b_prod") == "vcluster_a_b_prod"
