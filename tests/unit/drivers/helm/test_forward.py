from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from nestling.drivers import errors
from nestling.drivers.helm import channels, forward
from nestling.kube import errors as kube_errors
from tests.support import fake_pods

PORT = 8443


def to_pods(api: fake_pods.FakeApi, pod: str = "") -> forward.ToPods:
    return forward.ToPods(api.config, "ns", "my-vc", PORT, pod)


async def ask(port: int, text: bytes, *, length: int = 0) -> bytes:
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(text)
            if not length:
                return await reader.read(1 << 16)
            return await reader.readexactly(length)
        finally:
            writer.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a server that tells nobody
            await asyncio.sleep(0.01)


async def test_a_connection_reaches_the_pod() -> None:
    async with fake_pods.echoing() as echo, fake_pods.running(fake_pods.FakeApi([fake_pods.pod("a")])) as api:
        api.ports["a:8443"] = echo
        async with forward.listening(to_pods(api), address="127.0.0.1", port=0) as port:
            assert await ask(port, b"hello") == b"echo:hello"


async def test_a_megabyte_comes_through_whole() -> None:
    text = bytes(range(256)) * 4096
    async with fake_pods.echoing(b"") as echo, fake_pods.running(fake_pods.FakeApi([fake_pods.pod("a")])) as api:
        api.ports["a:8443"] = echo
        async with forward.listening(to_pods(api), address="127.0.0.1", port=0) as port:
            assert await ask(port, text, length=len(text)) == text


async def test_after_another_pod_has_taken_over_the_same_port_leads_there() -> None:
    async with (
        fake_pods.echoing(b"one") as one,
        fake_pods.echoing(b"two") as two,
        fake_pods.running(fake_pods.FakeApi([fake_pods.pod("a")], {"a:8443": one})) as api,
        forward.listening(to_pods(api), address="127.0.0.1", port=0) as port,
    ):
        assert await ask(port, b"x") == b"one:x"
        api.pods = [fake_pods.pod("b")]
        api.ports = {"b:8443": two}
        assert await ask(port, b"x") == b"two:x"


async def test_a_connection_waits_for_a_pod_and_for_its_server_and_loses_nothing() -> None:
    api = fake_pods.FakeApi()
    async with (
        fake_pods.echoing() as echo,
        fake_pods.running(api),
        forward.listening(to_pods(api), address="127.0.0.1", port=0) as port,
        asyncio.TaskGroup() as group,
    ):
        asked = group.create_task(ask(port, b"early"))
        await until(lambda: "GET /api/v1/namespaces/ns/pods" in api.asked)
        api.pods = [fake_pods.pod("a", ready=False)]
        await until(lambda: "GET /api/v1/namespaces/ns/pods/a/portforward" in api.asked)
        api.ports["a:8443"] = echo
        assert await asked == b"echo:early"


async def test_a_connection_is_given_up_after_a_while() -> None:
    async with (
        fake_pods.running(fake_pods.FakeApi()) as api,
        forward.listening(to_pods(api), address="127.0.0.1", port=0, seconds=0) as port,
    ):
        assert await ask(port, b"x") == b""


async def test_a_pod_that_was_named_is_used_whatever_it_is() -> None:
    async with (
        fake_pods.echoing() as echo,
        fake_pods.running(fake_pods.FakeApi(ports={"mine:8443": echo})) as api,
        forward.listening(to_pods(api, "mine"), address="127.0.0.1", port=0) as port,
    ):
        assert await ask(port, b"x") == b"echo:x"


async def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        api = fake_pods.FakeApi(port=1)
        with pytest.raises(errors.UserError, match="choose another one with --local-port"):
            async with forward.listening(to_pods(api), address="127.0.0.1", port=taken.getsockname()[1]):
                pass


def test_a_ready_pod_is_chosen_before_one_that_only_runs() -> None:
    ending = fake_pods.pod("ending")
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    waiting = fake_pods.pod("waiting", ready=False)
    assert forward.choose([ending, waiting, fake_pods.pod("ready")]) == "ready"
    assert forward.choose([ending, waiting]) == "waiting"
    assert forward.choose([ending, fake_pods.pod("p", ready=False, phase="Pending")]) == ""


async def test_a_command_gives_its_output_and_its_exit_code() -> None:
    async with fake_pods.running(fake_pods.FakeApi(prints=b"x" * 70_000, code=7)) as api:
        api.prints = b"x" * 60_000
        done = await channels.Dialer(api.config).run(channels.Pod("ns", "a"), "syncer", ["nestling", "x y"])
    assert (done.code, done.out, done.err) == (7, b"x" * 60_000, b"told")


async def test_a_refusal_of_the_api_server_is_told_as_it_is() -> None:
    async with fake_pods.running(fake_pods.FakeApi(refuses=403)) as api:
        with pytest.raises(kube_errors.Forbidden):
            await channels.Dialer(api.config).run(channels.Pod("ns", "a"), "syncer", ["x"])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (b'{"status":"Success"}', 0),
        (b'{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}', 3),
        (b'{"status":"Failure","message":"no such container"}', 1),
        (b"broken", 1),
    ],
)
def test_exit_codes(status: bytes, code: int) -> None:
    assert channels.exit_code(status) == code
