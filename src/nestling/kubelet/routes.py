"""Which requests a kubelet answers, as pure functions: the paths that go through (spec §3.4), and what becomes of them.

A path is taken apart by its letters alone. Names of Kubernetes objects need no escapes, so a path with one, with an
empty part or with dots is nobody's.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Final

from nestling.kubelet import wire
from nestling.naming.tenant import HostKey, VirtualKey

Parameters = Iterable[tuple[str, str]]

_PART: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")
_LONGEST: Final = 253
#: The bearer token of a browser, hidden among the protocols of a WebSocket; it is for the virtual API server only.
_BEARER: Final = "base64url.bearer.authorization.k8s.io."
_PROTOCOLS: Final = frozenset({"spdy/3.1", "websocket"})
#: Headers that the two ends of an upgraded connection need of one another. No other header goes through.
_REQUEST_HEADERS: Final = (
    "Upgrade",
    "X-Stream-Protocol-Version",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
)
_ANSWER_HEADERS: Final = (
    "Upgrade",
    "X-Stream-Protocol-Version",
    "X-Accepted-Stream-Protocol-Versions",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
)


class Kind(enum.Enum):
    """What a request asks for."""

    EXEC = "exec"
    ATTACH = "attach"
    PORT_FORWARD = "portforward"
    LOGS = "log"
    #: The pods of a node.
    PODS = "pods"
    #: Statistics and metrics that a kubelet of the host has.
    STATS = "stats"
    METRICS = "metrics"
    #: Metrics of a part of the control plane.
    COMPONENT = "component"
    #: ``metrics.k8s.io``, for the aggregation layer of the API server.
    METRICS_API = "metrics-api"
    HEALTH = "healthz"


STREAMS: Final = frozenset({Kind.EXEC, Kind.ATTACH, Kind.PORT_FORWARD})

_FIXED: Final[Mapping[str, Kind]] = {
    "/healthz": Kind.HEALTH,
    "/pods": Kind.PODS,
    "/runningpods": Kind.PODS,
    "/runningpods/": Kind.PODS,
    "/stats/summary": Kind.STATS,
    "/metrics": Kind.METRICS,
    "/metrics/cadvisor": Kind.METRICS,
    "/metrics/probes": Kind.METRICS,
    "/metrics/resource": Kind.METRICS,
    "/metrics/resource/v1alpha1": Kind.METRICS,
    "/metrics/resource/v1beta1": Kind.METRICS,
}
#: Both spellings of the metrics of a component.
_COMPONENTS: Final[Mapping[str, str]] = {
    "/metrics/syncer": "syncer",
    "/metrics/controller-manager": "controller-manager",
    "/controller-manager/metrics": "controller-manager",
    "/metrics/scheduler": "scheduler",
    "/scheduler/metrics": "scheduler",
    "/metrics/etcd": "etcd",
    "/metrics/kine": "kine",
}
_OF_PODS: Final[Mapping[str, tuple[Kind, int]]] = {
    "exec": (Kind.EXEC, 4),
    "attach": (Kind.ATTACH, 4),
    "portForward": (Kind.PORT_FORWARD, 3),
    "containerLogs": (Kind.LOGS, 4),
}
#: Parameters of a kubelet → of the API server. Others are dropped.
_STREAM_PARAMETERS: Final[Mapping[str, str]] = {
    "command": "command",
    "input": "stdin",
    "output": "stdout",
    "error": "stderr",
    "tty": "tty",
}
_PARAMETERS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.EXEC: _STREAM_PARAMETERS,
    Kind.ATTACH: {name: other for name, other in _STREAM_PARAMETERS.items() if name != "command"},
    Kind.PORT_FORWARD: {"port": "ports", "ports": "ports"},
    Kind.LOGS: {
        name: name
        for name in (
            "follow",
            "previous",
            "sinceSeconds",
            "sinceTime",
            "timestamps",
            "tailLines",
            "limitBytes",
            "stream",
        )
    },
}


class Refused(Exception):
    """The request is answered with this status and text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """What is asked for, and of which pod or component."""

    kind: Kind
    pod: VirtualKey | None = None
    container: str = ""
    component: str = ""
    path: str = ""


def route(request: wire.Request) -> Route:
    """Where a request belongs; raises ``Refused``."""
    found = _find(request.path)
    upgrade = request.upgrade
    if found.kind in STREAMS:
        if upgrade not in _PROTOCOLS:
            raise Refused(400, "an upgrade to SPDY/3.1 or websocket is needed here")
    elif request.method != "GET" or upgrade:
        raise Refused(405, "only plain GET is possible here")
    return found


def _find(path: str) -> Route:
    if path in _FIXED:
        return Route(_FIXED[path], path=path.rstrip("/"))
    if path in _COMPONENTS:
        return Route(Kind.COMPONENT, component=_COMPONENTS[path], path=path)
    if path.startswith("/apis/"):
        return Route(Kind.METRICS_API, path=path)
    first, *parts = path.removeprefix("/").split("/")
    kind, length = _OF_PODS.get(first, (None, 0))
    if kind is None or len(parts) + 1 != length:
        raise Refused(404, "nothing is served under this path")
    if not all(is_name(part) for part in parts):
        raise Refused(400, "a namespace, pod or container in the path is no name")
    namespace, name, *container = parts
    return Route(kind, VirtualKey(namespace, name), "".join(container), path=f"/{first}")


def host_path(found: Route, query: Parameters, host: HostKey) -> str:
    """The path and query of the host API server for a request about a pod."""
    allowed = _PARAMETERS[found.kind]
    wanted = [(allowed[name], _value(name, value)) for name, value in query if name in allowed]
    if found.container:
        wanted.append(("container", found.container))
    encoded = urllib.parse.urlencode(wanted, errors="surrogateescape")
    return f"/api/v1/namespaces/{host.namespace}/pods/{host.name}/{found.kind.value}?{encoded}"


def request_headers(request: wire.Request) -> list[tuple[str, str]]:
    """The headers that go to the host with an upgrade."""
    wanted = {name.lower(): name for name in _REQUEST_HEADERS}
    headers = [(wanted[name.lower()], value) for name, value in request.head.headers if name.lower() in wanted]
    cleaned = [(name, _protocols(value) if name == "Sec-WebSocket-Protocol" else value) for name, value in headers]
    return [("Connection", "Upgrade"), *((name, value) for name, value in cleaned if value)]


def answer_headers(answer: wire.Answer) -> list[tuple[str, str]]:
    """The headers that come back with an upgrade."""
    wanted = {name.lower(): name for name in _ANSWER_HEADERS}
    headers = [(wanted[name.lower()], value) for name, value in answer.head.headers if name.lower() in wanted]
    return [("Connection", "Upgrade"), *headers]


def _protocols(value: str) -> str:
    offered = [one.strip() for one in value.split(",")]
    return ", ".join(one for one in offered if one and not one.startswith(_BEARER))


def _value(name: str, value: str) -> str:
    """A kubelet is told ``1`` where the API server is told ``true``."""
    return "true" if name in _STREAM_PARAMETERS and name != "command" and value == "1" else value


def is_name(part: str) -> bool:
    """Can a part of a path be the name of a namespace, pod, container or node?"""
    return len(part) <= _LONGEST and ".." not in part and _PART.fullmatch(part) is not None
