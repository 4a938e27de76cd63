"""Streams, statistics and metrics of real containers, through the whole way: kubectl, virtual API server, façade, host.

One node and one virtual cluster for all; what a test needs of the containers starts before the first one.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import os
import re
import select
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import kubelet_client, streams
from tests.support import node as support
from tests.support.streams import PROTOCOLS, Tenant

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MEGABYTE = 1 << 20
#: How much the memory of the syncer process may grow while streams go through it, whatever goes through.
ROOM = 32 * MEGABYTE
VALUES = """
controlPlane: {coredns: {enabled: false}}
integrations: {metricsServer: {enabled: true, nodes: true, pods: true}}
rbac: {clusterRole: {extraRules: [{apiGroups: [""], resources: [nodes/proxy], verbs: [get]}]}}
"""


def pod(name: str, *arguments: str, **container: Any) -> dict[str, Any]:
    """A pod that needs no cluster DNS."""
    body = support.pod(name, *arguments, **container)
    body["spec"]["dnsPolicy"] = "Default"
    return body


def with_folder(body: dict[str, Any]) -> dict[str, Any]:
    """The same with a folder that outlives a container."""
    body["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    body["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return body


def scaled() -> list[dict[str, Any]]:
    """A Deployment that uses more memory than its autoscaler wants."""
    template = pod("scaled", "serve", resources={"requests": {"memory": "4Mi"}})
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "scaled"}},
        "template": {"metadata": {"labels": template["metadata"]["labels"]}, "spec": template["spec"]},
    }
    target = {"type": "AverageValue", "averageValue": "1k"}
    measure = {"type": "Resource", "resource": {"name": "memory", "target": target}}
    scaler = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scaled"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [measure],
    }
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "scaled"}, "spec": spec},
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "scaled"},
            "spec": scaler,
        },
    ]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Node]:
    if reason := support.missing():
        pytest.skip(f"no real node on this machine: {reason}")
    folder = tmp_path_factory.mktemp("kubelet")
    archive = support.program_image(folder)
    with support.running(folder / "home") as node:
        node.nestling("host", "load-image", str(archive))
        # somebody else's: nothing of it may show
        node.apply(support.pod("foreign", "serve"))
        yield node


@pytest.fixture(scope="module")
def tenant(host: support.Node) -> Iterator[Tenant]:
    """A virtual cluster in which everything runs already that the tests look at."""
    values = host.home / "values.yaml"
    values.write_text(VALUES, encoding="utf-8")
    host.nestling("create", "my-vc", "--connect=false", "-f", str(values))
    (settings,) = (host.home / "clusters").glob("*/vcluster-my-vc/my-vc")
    made = Tenant(host, settings)
    echoes = [pod(f"echo-{one}", "echo", stdin=True, stdinOnce=True) for one in PROTOCOLS]
    talks = pod("lines", "lines", "100")
    talks["spec"]["restartPolicy"] = "Never"
    ticks = with_folder(pod("tick", "tick", "/data/end"))
    ticks["spec"]["restartPolicy"] = "Never"
    twice = with_folder(pod("twice", "twice", "/data/first"))
    bodies = [with_folder(pod("web", "serve")), *echoes, talks, ticks, twice, *scaled()]
    host.apply(*bodies, kubeconfig=made.kubeconfig)
    running = ["pod/web", "pod/tick", *(f"pod/echo-{one}" for one in PROTOCOLS)]
    made.out("wait", "--for=condition=Ready", *running, f"--timeout={support.SECONDS:.0f}s")
    yield made
    host.nestling("delete", "my-vc")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_exec_carries_input_both_outputs_and_the_code(tenant: Tenant, protocol: str) -> None:
    given = os.urandom(20 * MEGABYTE)
    done = tenant.run("exec", "-i", "web", "--", "/program", "sum", "7", given=given, protocol=protocol)
    assert (done.code, done.out.decode()) == (7, f"{len(given)} {hashlib.sha256(given).hexdigest()}\n"), done.err
    said = tenant.run("exec", "web", "--", "/program", "say", "a b&c=é", protocol=protocol)
    assert (said.code, said.out.decode(), said.err.decode()) == (0, "a b&c=é\n", "a b&c=é to stderr\n")
    missing = tenant.run("exec", "web", "--", "/nothing", protocol=protocol)
    assert missing.code != 0
    assert b"no such file" in missing.err


def heard(process: subprocess.Popen[bytes], text: bytes) -> None:
    """Type until it is said back, as a person would.

    containerd passes input on before it listens to what the container says, and so may lose the first answer.
    """
    entered, said = process.stdin, process.stdout
    assert entered is not None
    assert said is not None
    shown = bytearray()

    def answered() -> bool:
        entered.write(text)
        entered.flush()
        if select.select([said], [], [], 1.0)[0]:
            more = os.read(said.fileno(), 1 << 16)
            assert more, f"it ended before it said that: {shown}"
            shown.extend(more)
        return text in shown

    support.wait(answered, "an answer")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_attach_carries_what_is_typed_and_ends_with_the_process(tenant: Tenant, protocol: str) -> None:
    with tenant.started("attach", "-i", f"echo-{protocol}", protocol=protocol) as process:
        heard(process, b"typed\n")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(support.SECONDS) == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_forwarded_port_takes_several_connections_at_once(tenant: Tenant, protocol: str) -> None:
    with tenant.forwarded("web", 8080, protocol=protocol) as port:
        for _ in range(2):
            opened = [urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) for _ in range(5)]
            assert [one.read() for one in opened] == [b"served by web"] * 5
            for one in opened:
                one.close()


def test_every_flag_of_logs(tenant: Tenant) -> None:
    tenant.out("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/lines", f"--timeout={support.SECONDS:.0f}s")
    whole = [f"line {number}" for number in range(1, 101)]
    assert tenant.out("logs", "lines").splitlines() == whole
    assert tenant.out("logs", "lines", "--tail=3").splitlines() == whole[-3:]
    assert tenant.out("logs", "lines", "--limit-bytes=10") == "line 1\nlin"
    assert tenant.out("logs", "-l", "app=lines", "--prefix", "--tail=1") == "[pod/lines/main] line 100\n"
    stamped = tenant.out("logs", "lines", "--timestamps").splitlines()
    stamp = stamped[50].split(" ")[0]
    assert re.fullmatch(r"20\d\d-.*T.*", stamp)
    later = tenant.out("logs", "lines", f"--since-time={stamp}").splitlines()
    assert later[-1] == whole[-1]
    assert set(later) <= set(whole)
    assert tenant.out("logs", "lines", "--since=1h").splitlines() == whole
    assert tenant.out("logs", "lines", "--since-time=2100-01-01T00:00:00Z") == ""
    refused = tenant.run("logs", "lines", "-c", "other")
    assert refused.code != 0


def test_a_followed_log_ends_with_the_container(tenant: Tenant) -> None:
    with tenant.started("logs", "-f", "tick") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"tick 1\n"
        tenant.out("exec", "tick", "--", "/program", "write", "/data/end", "now")
        rest = process.stdout.read().splitlines()
        assert process.wait(support.SECONDS) == 0
    assert rest == [f"tick {number}".encode() for number in range(2, len(rest) + 2)]


def test_the_log_of_the_container_before_the_restart(tenant: Tenant) -> None:
    def restarted() -> None:
        assert tenant.out("logs", "twice") == "second run\n"
        assert tenant.out("logs", "twice", "--previous") == "first run\n"

    support.eventually(restarted)
    assert tenant.run("logs", "web", "--previous").code != 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_files_are_copied_both_ways(tenant: Tenant, tmp_path: Path, protocol: str) -> None:
    (tmp_path / "sent").write_bytes(os.urandom(20 * MEGABYTE))
    tenant.out("cp", str(tmp_path / "sent"), f"web:/data/{protocol}", protocol=protocol)
    tenant.out("cp", f"web:/data/{protocol}", str(tmp_path / "back"), protocol=protocol)
    assert (tmp_path / "back").read_bytes() == (tmp_path / "sent").read_bytes()


def test_debug_adds_containers_to_a_running_pod(tenant: Tenant) -> None:
    """As often as one likes; the process runs on the real node, in the pod's network."""

    def served(container: str) -> bool:
        return b"served by web" in tenant.run("logs", "web", "-c", container).out

    debug = ("debug", "web", f"--image={support.IMAGE}", "--profile=general")
    for name in ("first", "second"):
        tenant.out(*debug, "-c", name, "--", "/program", "get", "http://127.0.0.1:8080/")
        support.wait(functools.partial(served, name), "what it says")
    with tenant.started(*debug, "-c", "third", "-i", "--", "/program", "echo") as process:
        heard(process, b"typed\n")
    assert tenant.out("get", "pod", "web", "-o", "jsonpath={.status.containerStatuses[0].restartCount}") == "0"


def test_a_gigabyte_goes_through_without_memory(tenant: Tenant) -> None:
    count = 1024 * MEGABYTE
    before = tenant.memory("VmRSS")
    tenant.forget_peak()
    with tenant.forwarded("web", 8080, protocol="websocket") as port:
        came = 0
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/zeros?{count}", timeout=60) as answer:
            while block := answer.read(MEGABYTE):
                came += len(block)
    assert came == count
    assert tenant.memory("VmHWM") - before < ROOM
    done = tenant.run("exec", "-i", "web", "--", "/program", "sum", "0", given=bytes(128 * MEGABYTE), protocol="spdy")
    assert done.out.startswith(f"{128 * MEGABYTE} ".encode())
    assert tenant.memory("VmHWM") - before < ROOM


async def test_a_slow_reader_slows_the_container_down(tenant: Tenant) -> None:
    def carried() -> float:
        return tenant.metric("nestling_kubelet_stream_bytes_total")

    tenant.forget_peak()
    before, memory = carried(), tenant.memory("VmRSS")
    seen = [-1.0]

    def stands() -> bool:
        seen.append(carried())
        return seen[-1] == seen[-2] > before

    endless = ("/program", "produce", str(1 << 40))
    async with tenant.session() as session, await streams.execute(session, "web", *endless) as one:
        await streams.until(stands, "nobody reads, so nothing comes any more")
        assert carried() - before < 64 * MEGABYTE
        for _ in range(2000):
            await one.receive_bytes()
        await streams.until(lambda: carried() > seen[-1], "it goes on")
        assert tenant.memory("VmHWM") - memory < ROOM
    await streams.until(lambda: tenant.streams() == 0, "no stream left")


async def forwarded_ports(session: aiohttp.ClientSession, count: int) -> list[aiohttp.ClientWebSocketResponse]:
    return await asyncio.gather(*(streams.forward(session, "web", 8080) for _ in range(count)))


async def followed_logs(session: aiohttp.ClientSession, count: int) -> list[aiohttp.ClientResponse]:
    return await asyncio.gather(*(streams.follow(session, "web") for _ in range(count)))


async def test_two_hundred_streams_leave_nothing_behind(tenant: Tenant) -> None:
    await streams.until(lambda: tenant.streams() == 0, "no stream left of others")
    sockets, memory = tenant.sockets(), tenant.memory("VmRSS")
    async with tenant.session() as session:
        # opened some at a time: on a busy machine the handshakes of all at once outlast the API server's patience
        forwards = [one for _ in range(10) for one in await forwarded_ports(session, 10)]
        logs = [one for _ in range(10) for one in await followed_logs(session, 10)]
        assert tenant.streams() == 200
        for one in forwards:
            await one.send_bytes(b"\0GET / HTTP/1.0\r\n\r\n")
        answers = [await one.receive_bytes() for one in forwards]
        assert all(answer.startswith(b"\0HTTP/1.0 200") for answer in answers)
        assert tenant.memory("VmRSS") - memory < 2 * ROOM
        for log in logs:
            log.close()
        for one in forwards:
            await one.close()
    await streams.until(lambda: tenant.streams() == 0, "no stream left")
    # each stream had two; connections for short requests are kept for the next one
    await streams.until(lambda: tenant.sockets() <= sockets + 40, "no socket left")


def test_what_breaks_in_the_middle_leaves_nothing_behind(tenant: Tenant) -> None:
    tenant.node.apply(pod("short", "serve"), kubeconfig=tenant.kubeconfig)
    tenant.out("wait", "--for=condition=Ready", "pod/short", f"--timeout={support.SECONDS:.0f}s")
    endless = ("exec", "short", "--", "/program", "produce", str(1 << 40))
    with tenant.started(*endless) as killed, tenant.started(*endless, protocol="spdy") as orphaned:
        for one in (killed, orphaned):
            assert one.stdout is not None
            assert one.stdout.read(MEGABYTE)
        killed.send_signal(signal.SIGKILL)
        support.wait(lambda: tenant.streams() == 1, "the stream of a killed kubectl ends")
        drained = threading.Thread(target=_drain, args=(orphaned,))
        drained.start()
        tenant.out("delete", "pod", "short", "--now")
        orphaned.wait(support.SECONDS)
        drained.join()
    support.wait(lambda: tenant.streams() == 0, "the stream of a deleted pod ends")


def _drain(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    while process.stdout.read(MEGABYTE):
        pass


async def test_a_node_shows_the_tenants_pods_alone(tenant: Tenant) -> None:
    port, tls = tenant.known.ports.kubelet, kubelet_client.tls(tenant.pki)
    summary = await kubelet_client.ask(port, tls, "GET", "/stats/summary")
    found = {(one["podRef"]["namespace"], one["podRef"]["name"]) for one in json.loads(summary.text)["pods"]}
    assert ("default", "web") in found
    texts = [summary.text]
    for path in ("/pods", "/metrics/cadvisor", "/metrics/resource", "/metrics/probes", "/metrics"):
        answer = await kubelet_client.ask(port, tls, "GET", path)
        assert answer.status == 200, (path, answer)
        texts.append(answer.text)
    assert re.search(r'container_memory_working_set_bytes\{.*namespace="default".*pod="web"', texts[2])
    assert re.search(r'pod_memory_working_set_bytes\{.*namespace="default".*pod="web"', texts[3])
    assert not [text for text in texts if "foreign" in text or "-x-default-x-" in text]


def test_top_shows_pods_and_nodes_of_the_tenant(tenant: Tenant) -> None:
    """metrics-server forgets a node whose scrape failed until two have succeeded: any question may meet such a gap."""
    assert "foreign" not in support.shows(tenant.out, "web", "top", "pods", "-A")
    support.shows(tenant.out, "web", "top", "pods", "-l", "app in (web)", "--containers")
    assert tenant.out("top", "pods", "-l", "app=foreign") == ""
    support.shows(tenant.out, "nestling-node", "top", "nodes")
    table = support.shows(tenant.out, "web", "get", "podmetrics", "web")
    assert table.split()[:4] == ["NAME", "CPU", "MEMORY", "WINDOW"]


def test_an_autoscaler_scales_a_deployment(tenant: Tenant) -> None:
    tenant.out("wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/scaled", "--timeout=180s")
