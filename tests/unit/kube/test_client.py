from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from nestling.kube import client, errors, kubeconfig, requests
from nestling.kube.resource import CONFIG_MAPS, PODS

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def _serving(handler: Handler, *, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[str]:
    """A server on loopback; the answer is its address."""
    runner = web.ServerRunner(web.Server(handler, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    try:
        await site.start()
        found = runner.addresses[0][1]
        yield f"{'https' if tls else 'http'}://127.0.0.1:{found}"
    finally:
        await runner.cleanup()


class Script:
    """Answers with one response after the other, and keeps the requests."""

    def __init__(self, *answers: web.Response | None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs))
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.read())
        answer = self.answers.pop(0)
        if answer is None:  # break the connection instead
            assert request.transport is not None
            request.transport.abort()
            await asyncio.Event().wait()
            raise AssertionError
        return answer


def _json(body: Any, status: int = 200, **headers: str) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _failure(status: int, reason: str, **headers: str) -> web.Response:
    return _json({"kind": "Status", "code": status, "reason": reason, "message": "no"}, status, **headers)


@contextlib.asynccontextmanager
async def _client(handler: Handler, **config: Any) -> AsyncIterator[client.Client]:
    async with (
        _serving(handler) as url,
        client.Client(kubeconfig.ClientConfig(server=url, **config)) as found,
    ):
        yield found


async def test_what_every_request_says() -> None:
    script = Script(_json({"gitVersion": "v1.34.4"}))
    async with _client(script, token="t") as api:
        assert (await api.version())["gitVersion"] == "v1.34.4"
    (headers,) = script.headers
    assert headers["User-Agent"].startswith("vcluster")
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Accept"] == "application/json"
    assert headers["Authorization"] == "Bearer t"


async def test_impersonated_groups_are_all_sent() -> None:
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.extend(request.headers.getall("Impersonate-Group"))
        return _json({})

    async with _client(handler, impersonate=(("Impersonate-Group", "a"), ("Impersonate-Group", "b"))) as api:
        await api.version()
    assert seen == ["a", "b"]


async def test_verbs() -> None:
    pod = {"metadata": {"name": "web", "namespace": "ns"}}
    script = Script(*(_json(pod) for _ in range(5)), _json({"kind": "Status", "status": "Success"}))
    async with _client(script) as api:
        assert await api.get(PODS, "web", "ns") == pod
        assert await api.create(PODS, pod) == pod
        assert await api.replace(PODS, pod, subresource="status") == pod
        assert await api.patch(PODS, "web", {"a": 1}, "ns") == pod
        assert await api.delete(PODS, "web", "ns", uid="u") == pod
        assert await api.delete(PODS, "web", "ns") is None
    path = "/api/v1/namespaces/ns/pods"
    assert script.asked == [
        ("GET", f"{path}/web"),
        ("POST", path),
        ("PUT", f"{path}/web/status"),
        ("PATCH", f"{path}/web"),
        ("DELETE", f"{path}/web"),
        ("DELETE", f"{path}/web"),
    ]
    assert json.loads(script.bodies[4])["preconditions"] == {"uid": "u"}


async def test_quoted_names_stay_quoted() -> None:
    script = Script(_json({}))
    async with _client(script) as api:
        await api.get(CONFIG_MAPS, "a b/c", "ns")
    assert script.asked == [("GET", "/api/v1/namespaces/ns/configmaps/a%20b%2Fc")]


async def test_selectors_arrive_as_they_were() -> None:
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.query["labelSelector"])
        return _json({"metadata": {}, "items": None})

    async with _client(handler) as api:
        await api.list(PODS, label_selector="a in (b,c),d!=e+f,ü=%20")
    assert seen == ["a in (b,c),d!=e+f,ü=%20"]


async def test_items_of_lists_get_their_kind() -> None:
    script = Script(
        _json({"metadata": {"continue": "t"}, "items": [{"metadata": {"name": "a"}}]}),
        _failure(410, "Expired"),
        _json({"metadata": {}, "items": [{"metadata": {"name": "b"}}, {"kind": "Own", "metadata": {}}]}),
    )
    async with _client(script) as api:
        assert await api.list(PODS) == [
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}},
            {"apiVersion": "v1", "kind": "Own", "metadata": {}},
        ]


async def test_typed_errors_with_the_status() -> None:
    async with _client(Script(_failure(404, "NotFound"))) as api:
        with pytest.raises(errors.NotFound) as caught:
            await api.get(PODS, "web", "ns")
    assert caught.value.body["reason"] == "NotFound"


async def test_redirects_are_not_followed() -> None:
    script = Script(_json({}, 302, Location="http://elsewhere.test/"))
    async with _client(script) as api:
        with pytest.raises(errors.ApiError, match="302"):
            await api.version()


async def test_an_answer_that_is_no_json() -> None:
    async with _client(Script(web.Response(text="<html>"))) as api:
        with pytest.raises(errors.ConnectionFailed, match="no JSON"):
            await api.version()


class TestRetries:
    async def test_a_read_whose_answer_was_lost_is_repeated(self) -> None:
        script = Script(None, None, _json({"ok": True}))
        async with _client(script) as api:
            assert await api.version() == {"ok": True}
        assert len(script.asked) == 3

    async def test_but_not_for_ever(self) -> None:
        script = Script(*[None] * 20)
        async with _client(script) as api:
            with pytest.raises(errors.ConnectionFailed):
                await api.version()
        assert 3 <= len(script.asked) <= 10

    async def test_a_write_whose_answer_was_lost_is_not(self) -> None:
        script = Script(None, _json({}))
        async with _client(script) as api:
            with pytest.raises(errors.ConnectionFailed):
                await api.create(PODS, {"metadata": {}}, "ns")
        assert len(script.asked) == 1

    async def test_a_write_that_could_not_connect_is(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        script = Script(_json({"ok": True}))
        refused = asyncio.Event()

        def observe(**seen: object) -> None:
            refused.set()

        config = kubeconfig.ClientConfig(server=f"http://127.0.0.1:{port}")
        async with client.Client(config, observer=observe) as api, asyncio.TaskGroup() as group:
            task = group.create_task(api.create(PODS, {"metadata": {}}, "ns"))
            await refused.wait()
            async with _serving(script, port=port):
                assert await task == {"ok": True}

    async def test_429_is_waited_for(self) -> None:
        script = Script(_failure(429, "TooManyRequests", **{"Retry-After": "0.01"}), _json({"ok": True}))
        async with _client(script) as api:
            assert await api.create(PODS, {"metadata": {}}, "ns") == {"ok": True}

    async def test_not_when_it_takes_long(self) -> None:
        async with _client(Script(_failure(429, "TooManyRequests", **{"Retry-After": "3600"}))) as api:
            with pytest.raises(errors.TooManyRequests) as caught:
                await api.version()
        assert caught.value.retry_after == 3600

    async def test_nor_when_a_budget_holds_up_an_eviction(self) -> None:
        script = Script(_failure(429, "TooManyRequests", **{"Retry-After": "0"}))
        async with _client(script) as api:
            with pytest.raises(errors.TooManyRequests):
                await api.create(PODS, {"kind": "Eviction"}, "ns", name="web", subresource="eviction")

    async def test_a_server_that_starts_is_waited_for_by_reads_only(self) -> None:
        answers = [_failure(503, "ServiceUnavailable", **{"Retry-After": "0.01"}) for _ in range(2)]
        script = Script(answers[0], _json({"ok": True}), answers[1])
        async with _client(script) as api:
            assert await api.version() == {"ok": True}
            with pytest.raises(errors.ServerError):
                await api.create(PODS, {"metadata": {}}, "ns")

    async def test_401_reads_the_token_file_again(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("old")

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            if request.headers["Authorization"] == "Bearer new":
                return _json({"ok": True})
            path.write_text("new")
            return _failure(401, "Unauthorized")

        async with _client(handler, token_file=path) as api:
            assert await api.version() == {"ok": True}

    async def test_401_twice_is_an_answer(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("t")
        script = Script(_failure(401, "Unauthorized"), _failure(401, "Unauthorized"))
        async with _client(script, token_file=tmp_path / "token") as api:
            with pytest.raises(errors.Unauthorized):
                await api.version()


async def test_requests_are_counted() -> None:
    seen: list[tuple[str, str, str]] = []

    def observe(*, method: str, host: str, code: str, seconds: float) -> None:
        assert seconds >= 0
        seen.append((method, host, code))

    async with _serving(Script(_json({}), _failure(404, "NotFound"), None)) as url:
        host = url.removeprefix("http://")
        async with client.Client(kubeconfig.ClientConfig(server=url), observer=observe) as api:
            await api.version()
            with pytest.raises(errors.NotFound):
                await api.get(PODS, "web", "ns")
            with pytest.raises(errors.ConnectionFailed):
                await api.create(PODS, {"metadata": {}}, "ns")
    assert seen == [("GET", host, "200"), ("GET", host, "404"), ("POST", host, "<error>")]


async def test_a_client_must_be_open() -> None:
    api = client.Client(kubeconfig.ClientConfig(server="http://h"))
    with pytest.raises(RuntimeError, match="context manager"):
        await api.version()


async def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        async with client.Client(kubeconfig.ClientConfig(server=url)) as api:
            with pytest.raises(errors.ConnectionFailed, match=f"cannot reach {url}: connection refused"):
                await api.version()


class TestStream:
    _WATCH = requests.watch(PODS, resource_version="1")

    async def test_lines_of_any_length(self) -> None:
        sent = [b"x" * 3_000_000, b"{}", b"y" * 70_000]

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for one in sent:
                await response.write(one + b"\n")
            return response

        async with _client(handler) as api:
            assert [line async for line in api.stream(self._WATCH, idle_seconds=30)] == sent

    async def test_silence_is_noticed(self) -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"{}\n")
            await asyncio.Event().wait()
            return response

        async with _client(handler) as api:
            stream = api.stream(self._WATCH, idle_seconds=0.2)
            assert await anext(stream) == b"{}"
            with pytest.raises(errors.ConnectionFailed, match="it has gone silent"):
                await anext(stream)

    async def test_a_break_is_told(self) -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b'{}\n{"half')
            assert request.transport is not None
            request.transport.abort()
            return response

        async with _client(handler) as api:
            stream = api.stream(self._WATCH, idle_seconds=30)
            assert await anext(stream) == b"{}"
            with pytest.raises(errors.ConnectionFailed):
                await anext(stream)

    async def test_refusals_are_typed(self) -> None:
        async with _client(Script(_failure(410, "Expired"))) as api:
            with pytest.raises(errors.Expired):
                await anext(api.stream(self._WATCH, idle_seconds=30))

    async def test_streams_do_not_use_up_the_places_of_requests(self) -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            if "watch" not in request.query:
                return _json({"ok": True})
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"{}\n")
            await asyncio.Event().wait()
            return response

        async with _client(handler) as api, contextlib.AsyncExitStack() as stack:
            for _ in range(client._CONCURRENT + 5):
                stream = await stack.enter_async_context(contextlib.aclosing(api.stream(self._WATCH, idle_seconds=30)))
                await anext(stream)
            assert await api.version() == {"ok": True}


class TestTls:
    def _server(self, authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _config(self, authority: trustme.CA, url: str, **more: Any) -> kubeconfig.ClientConfig:
        issued = authority.issue_cert("client.test", common_name="jane")
        found: dict[str, Any] = {
            "ca_data": authority.cert_pem.bytes(),
            "cert_data": issued.cert_chain_pems[0].bytes(),
            "key_data": issued.private_key_pem.bytes(),
        }
        return kubeconfig.ClientConfig(server=url, **(found | more))

    async def _whoami(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = request.get_extra_info("peercert")
        return _json({"who": [dict(part)["commonName"] for part in peer["subject"] if "commonName" in dict(part)]})

    async def test_client_certificate(self) -> None:
        authority = trustme.CA()
        async with (
            _serving(self._whoami, tls=self._server(authority)) as url,
            client.Client(self._config(authority, url)) as api,
        ):
            assert await api.version() == {"who": ["jane"]}

    async def test_another_server_name(self) -> None:
        authority = trustme.CA()
        async with _serving(self._whoami, tls=self._server(authority, "inner.test")) as url:
            async with client.Client(self._config(authority, url, tls_server_name="inner.test")) as api:
                assert await api.version() == {"who": ["jane"]}
            async with client.Client(self._config(authority, url)) as api:
                with pytest.raises(errors.ConnectionFailed, match="not trusted"):
                    await api.version()

    async def test_a_server_of_another_authority(self) -> None:
        authority = trustme.CA()
        async with _serving(self._whoami, tls=self._server(authority)) as url:
            config = self._config(authority, url, ca_data=trustme.CA().cert_pem.bytes())
            async with client.Client(config) as api:
                with pytest.raises(errors.ConnectionFailed, match="its certificate is not trusted"):
                    await api.version()

    async def test_a_renewed_certificate_is_used(self, tmp_path: Path) -> None:
        authority = trustme.CA()

        def issue(name: str) -> None:
            issued = authority.issue_cert("client.test", common_name=name)
            issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))

        issue("before")
        async with _serving(self._whoami, tls=self._server(authority)) as url:
            both = tmp_path / "both.pem"
            config = self._config(authority, url, cert_data=None, key_data=None, cert_file=both, key_file=both)
            async with client.Client(config) as api:
                assert await api.version() == {"who": ["before"]}
                issue("after")
                api._credentials._stamped = float("-inf")
                assert await api.version() == {"who": ["after"]}


@pytest.mark.parametrize(
    ("server", "environ", "expected"),
    [
        ("https://api.test:6443", {}, None),
        ("https://api.test:6443", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://api.test:6443", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": ".test"}, None),
        ("https://api.test:6443", {"HTTP_PROXY": "http://p:3128"}, None),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": "http://p:3128"}, None),
    ],
)
def test_proxies(monkeypatch: pytest.MonkeyPatch, server: str, environ: dict[str, str], expected: str | None) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert client.proxy_for(kubeconfig.ClientConfig(server=server)) == expected
    assert client.proxy_for(kubeconfig.ClientConfig(server=server, proxy_url="http://own")) == "http://own"


async def test_a_stream_that_is_given_up_is_closed_at_once() -> None:
    ended = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{}\n")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return response

    async with _client(handler) as api, asyncio.timeout(10):
        async with contextlib.aclosing(api.stream(TestStream._WATCH, idle_seconds=30)) as stream:
            assert await anext(stream) == b"{}"
        await ended.wait()


async def test_an_answer_that_does_not_come_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_REQUEST_SECONDS", 0.2)

    async def handler(_request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with _client(handler) as api:
        with pytest.raises(errors.ConnectionFailed, match="no answer within"):
            await api.version()
