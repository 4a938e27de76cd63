"""Tokens of virtual service accounts in host pods (spec §2.2, row "projected serviceAccountToken").

A ``serviceAccountToken`` source names an account of the virtual cluster, which the host's kubelet cannot ask for a
token. So the syncer requests the token from the virtual API server, bound to the virtual pod, keeps it in a host
Secret, and the source becomes a projection of that Secret. Unlike in vCluster tokens are never written into
annotations, live only as long as was asked for, and are renewed at 80 percent of their life, after a day at the
latest, as a kubelet does; the kubelet carries the new value into the running pod.

File mode: a kubelet gives a token the volume's ``defaultMode``, or 0600 with the owner changed to the pod's user when
it has one. The owner of a file from a Secret cannot be changed, so the file is 0644 whatever the volume says: any
user in a container that mounts the volume can read it, nobody else can (each pod's volume is its own). With an
``fsGroup`` the kubelet adds group and read rights as usual.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from nestling.kube.resource import SECRETS, Obj
from nestling.naming import labels, names, ownership
from nestling.naming.tenant import HostKey, VirtualKey
from nestling.resources.pods import keys
from nestling.resources.pods.context import PodContext, controller_of, service_account

#: What the API server puts in when a source does not say (one hour).
DEFAULT_SECONDS: Final = 3600
FILE_MODE: Final = 0o644
RENEW_AT: Final = 0.8
RENEW_AFTER: Final = datetime.timedelta(hours=24)
#: The API server takes tokens that are issued so much later than its own clock says.
LEEWAY: Final = datetime.timedelta(minutes=1)
_DECODER: Final = msgspec.json.Decoder(dict[str, Any])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequestNeed:
    """A token that the pod's Secret must hold."""

    volume: str
    path: str
    audiences: tuple[str, ...]
    expiration_seconds: int
    service_account: str
    #: Where it is in the Secret.
    key: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says about itself. Only read to know when to renew; nothing trusts it."""

    issued: datetime.datetime
    expires: datetime.datetime
    audiences: frozenset[str]
    subject: str
    pod_uid: str


def needs(ctx: PodContext, pod: Obj) -> tuple[TokenRequestNeed, ...]:
    """All tokens of a virtual pod, in the order of its volumes."""
    return tuple(
        TokenRequestNeed(
            volume=volume,
            path=source.get("path", ""),
            audiences=(source["audience"],) if source.get("audience") else default_audiences(ctx),
            expiration_seconds=source.get("expirationSeconds") or DEFAULT_SECONDS,
            service_account=service_account(pod),
            key=key(pod, volume, source.get("path", "")),
        )
        for volume, source in _sources(pod)
    )


def default_audiences(ctx: PodContext) -> tuple[str, ...]:
    """The names of the virtual API server, for sources without an audience."""
    return (
        f"https://kubernetes.default.svc.{ctx.cluster_domain}",
        "https://kubernetes.default.svc",
        "https://kubernetes.default",
    )


def key(pod: Obj, volume: str, path: str) -> str:
    """The key of a token in the Secret: the volume's name, as in vCluster, made unique when it holds several tokens.

    A volume name has no dot, so the two forms cannot meet.
    """
    if sum(1 for name, _ in _sources(pod) if name == volume) == 1:
        return volume
    return f"{volume}.{hashlib.sha256(path.encode()).hexdigest()[:10]}"


def secret_key(ctx: PodContext, pod: Obj) -> HostKey:
    """The host Secret with the pod's tokens."""
    return names.host_name(_virtual_key(pod), ctx.tenant)


def projection(ctx: PodContext, pod: Obj, volume: str, source: Obj) -> Obj:
    """What stands on the host in place of a ``serviceAccountToken`` source."""
    path: str = source.get("path", "")
    item = {"key": key(pod, volume, path), "path": path, "mode": FILE_MODE}
    return {"secret": {"name": secret_key(ctx, pod).name, "items": [item]}}


def token_request(need: TokenRequestNeed, pod: Obj) -> Obj:
    """The body for ``serviceaccounts/NAME/token`` in the virtual cluster: bound to the pod, so that it dies with it."""
    meta = pod["metadata"]
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": list(need.audiences),
            "expirationSeconds": need.expiration_seconds,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
        },
    }


def token_secret(ctx: PodContext, pod: Obj, tokens: Mapping[str, str], host_owner: Obj | None) -> Obj:
    """The host Secret with the pod's tokens, by key.

    ``host_owner`` is the owner reference to the host pod once it exists (``pod_owner``); before that the Service NAME
    owns the Secret. It carries our labels but no virtual name: there is no virtual Secret that it stands for (spec
    §1.2, skip-backsync).
    """
    host_key = secret_key(ctx, pod)
    meta: Obj = {
        "name": host_key.name,
        "namespace": host_key.namespace,
        "labels": labels.to_host({}, _virtual_key(pod), ctx.tenant),
        "annotations": {keys.SKIP_BACKSYNC: "true"},
    }
    if host_owner is not None:
        meta["ownerReferences"] = [dict(host_owner)]
    elif ctx.owner_uid:
        meta["ownerReferences"] = ownership.owner_references(
            ctx.owner_uid, ctx.tenant, controller=controller_of(pod) is not None
        )
    data = {name: base64.b64encode(token.encode()).decode() for name, token in sorted(tokens.items())}
    return {"apiVersion": SECRETS.api_version, "kind": SECRETS.kind, "metadata": meta, "type": "Opaque", "data": data}


def is_token_secret(secret: Obj) -> bool:
    """Is this Secret one of ours? A Secret of the tenant with the same name is not to be overwritten."""
    annotations = secret["metadata"].get("annotations") or {}
    return annotations.get(keys.SKIP_BACKSYNC) == "true"


def pod_owner(host_pod: Obj) -> Obj:
    """The owner reference to a host pod, so that its tokens go with it."""
    meta = host_pod["metadata"]
    return {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}


def refresh_at(issued: datetime.datetime, expires: datetime.datetime) -> datetime.datetime:
    """When to ask for a new token: at 80 percent of its life, after 24 hours at the latest, as a kubelet does."""
    return issued + min((expires - issued) * RENEW_AT, RENEW_AFTER)


def stored(secret: Obj | None) -> dict[str, str]:
    """The tokens in a Secret, by key; values that are not text are left out."""
    found: dict[str, str] = {}
    for name, value in ((secret or {}).get("data") or {}).items():
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


def due(needed: TokenRequestNeed, pod: Obj, token: str | None, *, now: datetime.datetime) -> bool:
    """Must this token be requested: missing, made for something else, old, or from the future?

    A clock that was set back leaves tokens that the API server does not take yet.
    """
    claims = read_claims(token) if token else None
    if claims is None:
        return True
    meta = pod["metadata"]
    subject = f"system:serviceaccount:{meta['namespace']}:{needed.service_account}"
    same = (claims.audiences, claims.subject, claims.pod_uid) == (frozenset(needed.audiences), subject, meta["uid"])
    from_future = now < claims.issued - LEEWAY
    return not same or from_future or now >= refresh_at(claims.issued, claims.expires)


def next_refresh(tokens: Mapping[str, str]) -> datetime.datetime | None:
    """When the first of these tokens has to be renewed; None when there is none."""
    times = [refresh_at(claims.issued, claims.expires) for claims in map(read_claims, tokens.values()) if claims]
    return min(times, default=None)


def read_claims(token: str) -> Claims | None:
    """The claims of a token, None when it is not one.

    The API server stretches the life of a token of 3607 seconds to a year and says in ``warnafter`` what was asked
    for: that counts.
    """
    try:
        payload = token.split(".")[1]
        body = _DECODER.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        kubernetes: Obj = body.get("kubernetes.io") or {}
        audiences = body.get("aud") or []
        return Claims(
            issued=_time(body["iat"]),
            expires=_time(kubernetes.get("warnafter") or body["exp"]),
            audiences=frozenset([audiences] if isinstance(audiences, str) else audiences),
            subject=str(body.get("sub", "")),
            pod_uid=str((kubernetes.get("pod") or {}).get("uid", "")),
        )
    except (IndexError, KeyError, TypeError, ValueError, AttributeError):  # the many ways of not being a token
        return None


def _time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)


def _virtual_key(pod: Obj) -> VirtualKey:
    meta = pod["metadata"]
    return VirtualKey(meta["namespace"], f"{meta['name']}-sa-token")


def _sources(pod: Obj) -> Iterator[tuple[str, Obj]]:
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("serviceAccountToken"):
                yield volume["name"], source["serviceAccountToken"]
