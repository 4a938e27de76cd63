"""The embedded host with its real processes: access, storage, and what survives which death."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from nestling.binaries import versions
from nestling.controlplane import authority, supervisor_status
from nestling.kube import client as client_module
from nestling.kube import errors as kube_errors
from nestling.kube import kubeconfig, resource
from nestling.kube.resource import Obj
from nestling.local import components, errors, manifests, record
from tests.support import host as support

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DEADLINE = 60.0
PARTS = (*components.BINARIES, components.PROVISIONER)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.RunningHost]:
    options = dataclasses.replace(support.default_options(), audit=True)
    with support.embedded_host(tmp_path_factory.mktemp("home"), options=options) as host:
        yield host


def client(running: support.RunningHost) -> client_module.Client:
    return client_module.Client(kubeconfig.load([running.kubeconfig]))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            if await condition():
                return
        except (kube_errors.ApiError, kube_errors.ConnectionFailed):
            pass
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.05)


def pid_of(running: support.RunningHost, part: str) -> int | None:
    status = supervisor_status.read(running.host.layout.folder)
    return status.components[part].pid if status else None


def supervisor_pid(running: support.RunningHost) -> int:
    process = supervisor_status.supervisor(running.host.layout.folder)
    assert process is not None
    return process.pid


async def all_ready(running: support.RunningHost) -> bool:
    status = supervisor_status.read(running.host.layout.folder)
    return status is not None and status.ready


def pod(name: str, **spec: object) -> Obj:
    containers = [{"name": "main", "image": "example.org/image:1"}]
    return {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}


async def runs_a_pod(running: support.RunningHost, name: str) -> None:
    """What a usable cluster does: it takes a pod, schedules it and runs it."""
    async with client(running) as host:

        async def created() -> bool:
            try:
                await host.create(resource.PODS, pod(name), "default")
            except kube_errors.AlreadyExists:
                return True
            return True

        async def is_running() -> bool:
            found = await host.get(resource.PODS, name, "default")
            return bool(found["status"]["phase"] == "Running" and found["spec"]["nodeName"])

        await until(created)
        await until(is_running)


def http_status(url: str, *, token: str | None = None) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


# Access


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_health_is_told_to_everybody(running: support.RunningHost, path: str) -> None:
    assert http_status(running.info.server + path) == 200


@pytest.mark.parametrize(
    "path", ["/", "/api", "/version", "/metrics", "/api/v1/namespaces", "/openapi/v2", "/livez/etcd"]
)
def test_nothing_else_is_told_without_credentials(running: support.RunningHost, path: str) -> None:
    assert http_status(running.info.server + path) == 401


def test_an_invented_token_is_refused(running: support.RunningHost) -> None:
    assert http_status(running.info.server + "/api", token="admintoken") == 401


def ask_without_certificate(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as connection:
        connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        return connection.recv(100)


@pytest.mark.parametrize("port", [record.ETCD, record.ETCD_HTTP, record.ETCD_PEER])
def test_etcd_refuses_clients_without_a_certificate(running: support.RunningHost, port: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask_without_certificate(running.host.record.ports[port])


def test_everything_listens_on_loopback_only(running: support.RunningHost) -> None:
    listening = []
    for part in PARTS:
        sockets = {str(link.readlink()) for link in Path(f"/proc/{pid_of(running, part)}/fd").iterdir()}
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                    listening.append((part, fields[1].rpartition(":")[0]))
    assert {part for part, _ in listening} == set(components.BINARIES)
    assert {address for _, address in listening} == {"0100007F"}


def test_no_secret_is_in_a_command_line_or_open_to_others(running: support.RunningHost) -> None:
    folder = running.host.layout.folder
    for path in [folder, *folder.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_dir():
            assert mode & 0o077 == 0, path
        if path.suffix in {".key", ".conf", ".log", ".db"} or path.name == "plan.json":
            assert mode & 0o077 == 0, path
    for part in PARTS:
        arguments = Path(f"/proc/{pid_of(running, part)}/cmdline").read_text()
        assert "PRIVATE" not in arguments
        assert "token-auth-file" not in arguments


async def test_a_client_certificate_makes_its_owner_a_service_account(
    running: support.RunningHost, tmp_path: Path
) -> None:
    subject = authority.Subject(
        "system:serviceaccount:team:vc-my-vc", ("system:serviceaccounts", "system:serviceaccounts:team")
    )
    path = tmp_path / "kubeconfig"
    path.write_bytes(running.host.client_kubeconfig(subject))
    async with client_module.Client(kubeconfig.load([path])) as own:
        with pytest.raises(kube_errors.Forbidden, match="system:serviceaccount:team:vc-my-vc"):
            await own.list(resource.PODS, "team")


async def test_a_service_account_token_signed_with_p256_is_accepted(running: support.RunningHost) -> None:
    async with client(running) as host:
        answer = await host.create(
            resource.SERVICE_ACCOUNTS,
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
            "default",
            name="default",
            subresource="token",
        )
    assert http_status(running.info.server + "/version", token=answer["status"]["token"]) == 200


async def test_the_audit_log_says_who_and_never_what(running: support.RunningHost) -> None:
    async with client(running) as host:
        secret = {"metadata": {"name": "audited"}, "stringData": {"password": "correct horse"}}
        await host.create(resource.SECRETS, secret, "default")

    async def written() -> bool:
        return "audited" in running.host.layout.audit_log.read_text()

    await until(written)
    text = running.host.layout.audit_log.read_text()
    assert "correct horse" not in text
    assert "Y29ycmVjdCBob3JzZQ" not in text
    lines = [json.loads(line) for line in text.splitlines() if '"audited"' in line]
    assert {line["user"]["username"] for line in lines} == {"admin"}


# The simulation


async def test_nodes_are_ready_and_say_that_they_are_simulated(running: support.RunningHost) -> None:
    async with client(running) as host:
        nodes = await host.list(resource.NODES)
    assert [node["metadata"]["name"] for node in nodes] == ["nestling-node-1", "nestling-node-2"]
    for node in nodes:
        assert "simulated" in node["status"]["nodeInfo"]["osImage"]
        assert not node["spec"].get("taints")
        assert node["status"]["allocatable"]["cpu"] == "32"


async def test_a_pod_runs_and_its_log_says_what_it_is(running: support.RunningHost) -> None:
    await runs_a_pod(running, "first")
    async with client(running) as host:
        text = await host.raw("/api/v1/namespaces/default/pods/first/log")
    assert b"simulated" in text


async def test_a_claim_is_bound_grows_and_takes_its_volume_with_it(running: support.RunningHost) -> None:
    claim: Obj = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    async with client(running) as host:
        await host.create(resource.PERSISTENT_VOLUME_CLAIMS, claim, "default")

        async def size() -> str | None:
            found = await host.get(resource.PERSISTENT_VOLUME_CLAIMS, "data", "default")
            bound = found["status"]["phase"] == "Bound"
            return found["status"]["capacity"]["storage"] if bound else None

        async def is_bound() -> bool:
            return await size() == "1Gi"

        async def has_grown() -> bool:
            return await size() == "2Gi"

        async def volumes_gone() -> bool:
            return not await host.list(resource.PERSISTENT_VOLUMES)

        await until(is_bound)
        larger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
        await host.patch(resource.PERSISTENT_VOLUME_CLAIMS, "data", larger, "default")
        await until(has_grown)
        await host.delete(resource.PERSISTENT_VOLUME_CLAIMS, "data", "default")
        await until(volumes_gone)


async def test_the_default_storage_class_is_there(running: support.RunningHost) -> None:
    async with client(running) as host:
        found = await host.get(resource.STORAGE_CLASSES, manifests.STORAGE_CLASS)
    assert found["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"


# What survives


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_that_is_killed_comes_back(running: support.RunningHost, part: str) -> None:
    before = pid_of(running, part)
    assert before is not None
    os.kill(before, signal.SIGKILL)

    async def is_back() -> bool:
        return pid_of(running, part) not in {None, before} and await all_ready(running)

    await until(is_back)
    await runs_a_pod(running, f"after-{part}")


async def test_up_again_does_nothing(running: support.RunningHost) -> None:
    before = supervisor_pid(running)
    info = await running.host.up()
    assert not info.started
    assert supervisor_pid(running) == before


async def test_the_number_of_nodes_can_change_while_it_runs(running: support.RunningHost) -> None:
    for number in (3, 2):
        options = dataclasses.replace(support.default_options(), nodes=number)
        assert (await running.host.up(options=options)).nodes == number
        async with client(running) as host:
            assert len(await host.list(resource.NODES)) == number


async def test_what_needs_a_restart_is_refused_while_it_runs(running: support.RunningHost) -> None:
    with pytest.raises(errors.HostError, match="first run: nestling host down"):
        await running.host.up(options=dataclasses.replace(support.default_options(), audit=False))


async def test_status_shows_every_part(running: support.RunningHost) -> None:
    found = await running.host.status()
    assert found.state == "running"
    assert {part.name for part in found.parts} == set(PARTS)
    assert all(part.ready and part.pid for part in found.parts)
    assert found.nodes is not None
    assert all(node.ready for node in found.nodes)


async def test_a_second_supervisor_is_refused(running: support.RunningHost) -> None:
    command = [sys.executable, "-m", "nestling.controlplane.supervisor", str(running.host.layout.plan)]
    refused = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert refused.returncode == 3
    assert f"pid {supervisor_pid(running)}" in refused.stderr


async def test_after_the_supervisor_was_killed_up_brings_everything_back(running: support.RunningHost) -> None:
    await runs_a_pod(running, "before-supervisor")
    os.kill(supervisor_pid(running), signal.SIGKILL)
    assert (await running.host.up()).started
    async with client(running) as host:
        assert await host.get(resource.PODS, "before-supervisor", "default")
    await runs_a_pod(running, "after-supervisor")


@contextlib.contextmanager
def a_stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def give_all_pids_to(pid: int, folder: Path) -> None:
    who = json.loads((folder / supervisor_status.SUPERVISOR).read_text())
    supervisor_status.replace(folder / supervisor_status.SUPERVISOR, who | {"pid": pid, "boot_id": "before"})
    how = json.loads((folder / supervisor_status.STATUS).read_text())
    for part in how["components"].values():
        part["pid"] = pid
    supervisor_status.replace(folder / supervisor_status.STATUS, how)


async def test_after_a_reboot_up_brings_everything_back(running: support.RunningHost) -> None:
    """Everything is dead, and all pids that were written down belong to somebody else now."""
    folder = running.host.layout.folder
    os.kill(supervisor_pid(running), signal.SIGKILL)
    pids = [pid for part in PARTS if (pid := pid_of(running, part))]

    async def all_dead() -> bool:
        return all(supervisor_status.start_time(pid) is None for pid in pids)

    await until(all_dead)
    with a_stranger() as stranger:
        give_all_pids_to(stranger.pid, folder)
        assert (await running.host.up()).started
        assert stranger.poll() is None
    async with client(running) as host:
        assert await host.get(resource.PODS, "first", "default")
    await runs_a_pod(running, "after-reboot")


async def test_two_ups_at_once_make_one_host(running: support.RunningHost) -> None:
    await running.host.down()
    infos = await asyncio.gather(running.host.up(), running.host.up())
    assert sorted(info.started for info in infos) == [False, True]


async def test_down_stops_everything_and_up_brings_it_back(running: support.RunningHost) -> None:
    pids = [pid for part in PARTS if (pid := pid_of(running, part))]
    assert await running.host.down()
    assert all(supervisor_status.start_time(pid) is None for pid in pids)
    assert not await running.host.down()
    assert (await running.host.status()).state == "stopped"
    await running.host.up()
    await runs_a_pod(running, "after-down")


async def test_the_port_of_the_api_server_stays_while_virtual_clusters_use_it(running: support.RunningHost) -> None:
    marker = running.paths.clusters("default") / "team" / "my-vc" / "cluster.json"
    marker.parent.mkdir(parents=True)
    marker.write_text("{}")
    port = running.host.record.ports[record.API_SERVER]
    await running.host.down()
    try:
        with socket.create_server(("127.0.0.1", port)):
            with pytest.raises(errors.HostError, match=rf"port {port} .* process {os.getpid()} .*team/my-vc"):
                await running.host.up()
            with pytest.raises(errors.HostError, match="virtual clusters live on"):
                await running.host.delete()
    finally:
        marker.unlink()
    assert (await running.host.up()).server.endswith(f":{port}")


async def test_ports_that_somebody_took_are_replaced_when_nobody_needs_them(running: support.RunningHost) -> None:
    ports = running.host.record.ports
    await running.host.down()
    with (
        socket.create_server(("127.0.0.1", ports[record.API_SERVER])),
        socket.create_server(("127.0.0.1", ports[record.KWOK])),
    ):
        info = await running.host.up()
    assert running.host.record.ports[record.ETCD] == ports[record.ETCD]
    assert not info.server.endswith(f":{ports[record.API_SERVER]}")
    await runs_a_pod(running, "after-other-ports")
    async with client(running) as host:
        assert b"simulated" in await host.raw("/api/v1/namespaces/default/pods/after-other-ports/log")


async def test_data_of_a_newer_kubernetes_is_not_given_to_an_older_one(running: support.RunningHost) -> None:
    if versions.resolve(support.default_options().kubernetes_version) == versions.KUBERNETES[0]:
        pytest.skip("the host is the oldest that there is")
    await running.host.down()
    with pytest.raises(errors.HostError, match="may not be able to read"):
        await running.host.up(options=dataclasses.replace(support.default_options(), kubernetes_version="1.32"))


async def test_delete_leaves_nothing(running: support.RunningHost) -> None:
    await running.host.up()
    pids = [supervisor_pid(running), *(pid for part in PARTS if (pid := pid_of(running, part)))]
    assert await running.host.delete()
    assert all(supervisor_status.start_time(pid) is None for pid in pids)
    assert list(running.paths.hosts.iterdir()) == []
    assert (await running.host.status()).state == "absent"
    assert not await running.host.delete()
