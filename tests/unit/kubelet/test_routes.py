"""Which paths go through, and what of a request reaches the host."""

from __future__ import annotations

import asyncio

import pytest

from nestling.kubelet import routes, wire
from nestling.naming.tenant import HostKey, VirtualKey

HOST = HostKey("team-x", "web-x-default-x-my-vc")
SPDY = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"


async def parsed(line: str, headers: str = "") -> wire.Request:
    reader = asyncio.StreamReader()
    reader.feed_data(f"{line} HTTP/1.1\r\nHost: 127.0.0.1:10250\r\n{headers}\r\n".encode("latin-1"))
    reader.feed_eof()
    request = await wire.read_request(reader)
    assert request is not None
    return request


async def test_a_stream_is_a_subresource_of_the_host_pod() -> None:
    request = await parsed("POST /exec/default/web/app?command=ls&command=a%20b&input=1&tty=0&output=1", SPDY)
    found = routes.route(request)
    assert (found.kind, found.pod, found.container) == (routes.Kind.EXEC, VirtualKey("default", "web"), "app")
    assert routes.host_path(found, request.query, HOST) == (
        "/api/v1/namespaces/team-x/pods/web-x-default-x-my-vc/exec"
        "?command=ls&command=a+b&stdin=true&tty=0&stdout=true&container=app"
    )


async def test_arguments_need_not_be_text() -> None:
    request = await parsed("POST /exec/default/web/app?command=%FF%00%26%0d%0a", SPDY)
    assert "command=%FF%00%26%0D%0A" in routes.host_path(routes.route(request), request.query, HOST)


async def test_a_parameter_cannot_choose_another_container_or_pass_through() -> None:
    request = await parsed("GET /containerLogs/default/web/app?container=injected&follow=true&x=%2F..&stream=All")
    path = routes.host_path(routes.route(request), request.query, HOST)
    assert path.endswith("/log?follow=true&stream=All&container=app")


@pytest.mark.parametrize(
    "path",
    [
        "/exec/default/../web/app",
        "/exec/default/web/..",
        "/exec/default/web%2fapp/app",
        "/exec/default/web%2Fexec/app",
        "/exec/%2e%2e/web/app",
        "/exec//web/app",
        "/exec/default/web//app",
        "//exec/default/web/app",
        "/exec/default/web/app/",
        "/exec/default/web/app;x",
        "/exec/default/web\\app/app",
        "/exec/default/Web/app",
        "/exec/default/web/app/uid",
        "/exec/default/web",
        "/portForward/default",
        "/attach/default/-web/app",
        "/exec/default/" + "w" * 300 + "/app",
        "/exec/default/a..b/app",
        "/run/default/web/app",
        "/logs/",
        "/debug/pprof/",
        "/configz",
        "/api/v1/namespaces/team-x/secrets",
        "/metrics/../exec/default/web/app",
        "/metrics/cadvisor/..",
        "/metrics%2fcadvisor",
        "/stats/summary/",
        "/",
    ],
)
async def test_other_paths_are_nobodys(path: str) -> None:
    request = await parsed(f"POST {path}", SPDY)
    with pytest.raises(routes.Refused) as refused:
        routes.route(request)
    assert refused.value.status in {400, 404}


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("POST /exec/default/web/app", "", 400),
        ("POST /exec/default/web/app", "Connection: Upgrade\r\nUpgrade: h2c\r\n", 400),
        ("POST /exec/default/web/app", "Upgrade: SPDY/3.1\r\n", 400),
        ("POST /containerLogs/default/web/app", "", 405),
        ("GET /containerLogs/default/web/app", SPDY, 405),
        ("POST /metrics/syncer", "", 405),
    ],
)
async def test_a_request_of_the_wrong_form_is_refused(line: str, headers: str, status: int) -> None:
    with pytest.raises(routes.Refused) as refused:
        routes.route(await parsed(line, headers))
    assert refused.value.status == status


async def test_nobody_says_who_he_is_to_the_host() -> None:
    said = (
        "Authorization: Bearer tenant\r\nImpersonate-User: system:admin\r\nX-Remote-User: admin\r\nCookie: a=b\r\n"
        "X-Forwarded-For: 1.2.3.4\r\n"
        "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.Zm9v, v4.channel.k8s.io\r\n"
        "Connection: Upgrade, Authorization\r\nupgrade: websocket\r\nSec-WebSocket-Key: k\r\n"
    )
    assert sorted(routes.request_headers(await parsed("GET /exec/default/web/app", said))) == [
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "k"),
        ("Sec-WebSocket-Protocol", "v4.channel.k8s.io"),
        ("Upgrade", "websocket"),
    ]
