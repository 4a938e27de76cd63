"""Who may ask what: the virtual API server everything, others what the RBAC of the virtual cluster allows them.

The API server shows a client certificate of an authority that no certificate signer of the cluster uses; it has decided
already whether its user may. Its aggregation layer has one of the front proxy's authority, which is good for the
aggregated API and nothing else. Others are known as kubelets know them: by a certificate of the cluster's client
authority, or a token that TokenReview knows; what they may, SubjectAccessReview says.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from cryptography import exceptions, x509

from nestling.kube import client
from nestling.kube.resource import Obj, Resource
from nestling.kubelet import routes

#: The name in the certificate of the API server.
API_SERVER: Final = "kube-apiserver-kubelet-client"
#: The name in the certificate of its aggregation layer.
AGGREGATOR: Final = "front-proxy-client"
_TOKEN_REVIEWS: Final = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
_ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
#: Kind of request → subresource of the node that must be readable.
_SUBRESOURCES: Final[Mapping[routes.Kind, str]] = {
    routes.Kind.STATS: "stats",
    routes.Kind.METRICS: "metrics",
    routes.Kind.PODS: "proxy",
    routes.Kind.LOGS: "proxy",
}
_REMEMBERED_SECONDS: Final = 5.0
_REMEMBERED: Final = 512


class Peer(enum.Enum):
    """Whose certificate a client has shown."""

    API_SERVER = "API server"
    AGGREGATOR = "aggregation layer"
    USER = "user"
    NOBODY = "nobody"


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the certificate says."""

    peer: Peer
    user: Obj = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Authorities:
    """Who signs whose certificates. A name counts only together with the authority that signed it."""

    kubelet: x509.Certificate
    front_proxy: x509.Certificate | None = None
    clients: x509.Certificate | None = None

    def caller(self, certificate: bytes | None) -> Caller:
        """Whose certificate this is; TLS has verified it."""
        if certificate is None:
            return Caller(Peer.NOBODY)
        shown = x509.load_der_x509_certificate(certificate)
        name = _first(shown, x509.NameOID.COMMON_NAME)
        if name == API_SERVER and _signed(shown, self.kubelet):
            return Caller(Peer.API_SERVER)
        if name == AGGREGATOR and _signed(shown, self.front_proxy):
            return Caller(Peer.AGGREGATOR)
        if name and _signed(shown, self.clients):
            groups = [str(one.value) for one in shown.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)]
            # the API server adds this group itself, and roles are bound to it
            return Caller(Peer.USER, {"username": name, "groups": [*groups, "system:authenticated"]})
        return Caller(Peer.NOBODY)


def _first(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str:
    return next((str(one.value) for one in certificate.subject.get_attributes_for_oid(kind)), "")


def _signed(certificate: x509.Certificate, authority: x509.Certificate | None) -> bool:
    if authority is None:
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except (exceptions.InvalidSignature, ValueError, TypeError):
        return False
    return True


def access_review(user: Obj, route: routes.Route, node: str) -> Obj:
    """The question whether a user may do this; raises ``Refused`` for what a token never may."""
    if route.kind in routes.STREAMS:
        raise routes.Refused(403, "streams go through the API server: use its subresource of the pod")
    about: Obj
    if route.kind in _SUBRESOURCES:
        about = {
            "resourceAttributes": {
                "version": "v1",
                "resource": "nodes",
                "subresource": _SUBRESOURCES[route.kind],
                "verb": "get",
                "name": node,
            }
        }
    else:
        about = {"nonResourceAttributes": {"path": route.path, "verb": "get"}}
    who = {"user": user.get("username", ""), "groups": user.get("groups") or [], "uid": user.get("uid", "")}
    return {"spec": {**who, "extra": user.get("extra") or {}, **about}}


@dataclasses.dataclass(frozen=True, slots=True)
class Reviewer:
    """Asks the virtual API server; remembers for some seconds who a token belongs to."""

    virtual: client.Client
    now: Callable[[], float] = time.monotonic
    _known: OrderedDict[bytes, tuple[float, Obj]] = dataclasses.field(default_factory=OrderedDict, repr=False)

    async def user(self, authorization: str) -> Obj:
        """Whose token this is; raises ``Refused``."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise routes.Refused(401, "Unauthorized")
        return await self._user(token.strip())

    async def check(self, user: Obj, route: routes.Route, node: str) -> None:
        """Let a user through, or raise ``Refused``."""
        answer = await self.virtual.create(_ACCESS_REVIEWS, access_review(user, route, node))
        if not (answer.get("status") or {}).get("allowed"):
            raise routes.Refused(403, "Forbidden: the virtual cluster's RBAC does not allow this")

    async def _user(self, token: str) -> Obj:
        digest = hashlib.sha256(token.encode()).digest()
        since, user = self._known.get(digest, (float("-inf"), {}))
        if self.now() - since < _REMEMBERED_SECONDS:
            return user
        answer = await self.virtual.create(_TOKEN_REVIEWS, {"spec": {"token": token}})
        status = answer.get("status") or {}
        if not status.get("authenticated"):
            raise routes.Refused(401, "Unauthorized")
        found: Obj = status["user"]
        self._known[digest] = (self.now(), found)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found
