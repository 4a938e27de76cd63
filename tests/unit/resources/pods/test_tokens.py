"""Tokens: never in annotations, as long-lived as was asked for, renewed (spec §2.2, §10)."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any

import pytest

from nestling.kube.resource import Obj
from nestling.resources.pods import tokens
from tests.unit.resources.pods import builders as b

ISSUED = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
DEFAULT_AUDIENCES = (
    "https://kubernetes.default.svc.cluster.local",
    "https://kubernetes.default.svc",
    "https://kubernetes.default",
)


def jwt(
    audiences: Any = DEFAULT_AUDIENCES,
    *,
    account: str = "default",
    seconds: int = 3600,
    pod_uid: str = "pod-uid",
    warn_after: int | None = None,
) -> str:
    kubernetes: Obj = {"pod": {"name": "web", "uid": pod_uid}}
    issued = int(ISSUED.timestamp())
    if warn_after is not None:
        kubernetes["warnafter"] = issued + warn_after
    body = {
        "aud": audiences,
        "sub": f"system:serviceaccount:default:{account}",
        "iat": issued,
        "exp": issued + seconds,
        "kubernetes.io": kubernetes,
    }
    payload = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def with_tokens(*sources: Obj, **spec: Any) -> Obj:
    return b.pod(volumes=[b.projected(*sources, name="kube-api-access")], **spec)


def test_token_needs_name_account_audience_and_lifetime() -> None:
    virtual = with_tokens(
        b.token_source("vault/token", audience="vault", expirationSeconds=600), serviceAccountName="runner"
    )
    assert tokens.needs(b.pod_context(), virtual) == (
        tokens.TokenRequestNeed(
            volume="kube-api-access",
            path="vault/token",
            audiences=("vault",),
            expiration_seconds=600,
            service_account="runner",
            key="kube-api-access",
        ),
    )


def test_token_needs_have_defaults() -> None:
    virtual = with_tokens(b.token_source())
    del virtual["spec"]["serviceAccountName"]
    [need] = tokens.needs(b.pod_context(), virtual)
    assert (need.audiences, need.expiration_seconds, need.service_account) == (DEFAULT_AUDIENCES, 3600, "default")
    [need] = tokens.needs(b.pod_context(cluster_domain="corp.example"), virtual)
    assert need.audiences[0] == "https://kubernetes.default.svc.corp.example"


def test_token_keys_differ_for_each_volume_and_path() -> None:
    virtual = b.pod(
        volumes=[
            b.projected(b.token_source("a"), b.token_source("b", audience="x"), name="two"),
            b.projected(b.token_source("a"), name="one"),
            b.volume("emptyDir", {}, name="none"),
        ]
    )
    needed = tokens.needs(b.pod_context(), virtual)
    assert len({need.key for need in needed}) == 3
    assert needed[2].key == "one"
    host_sources = [source for volume in b.spec_of(virtual)["volumes"][:2] for source in volume["projected"]["sources"]]
    assert [source["secret"]["items"][0]["key"] for source in host_sources] == [need.key for need in needed]


def test_token_request_is_bound_to_the_pod() -> None:
    virtual = with_tokens(b.token_source(audience="vault", expirationSeconds=900))
    [need] = tokens.needs(b.pod_context(), virtual)
    assert tokens.token_request(need, virtual) == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": ["vault"],
            "expirationSeconds": 900,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "pod-uid"},
        },
    }


def test_token_secret_is_opaque_and_never_synced_back() -> None:
    secret = tokens.token_secret(b.pod_context(), with_tokens(b.token_source()), {"kube-api-access": "t"}, None)
    assert secret["type"] == "Opaque"
    assert secret["data"] == {"kube-api-access": base64.b64encode(b"t").decode()}
    meta = secret["metadata"]
    assert (meta["name"], meta["namespace"]) == ("web-sa-token-x-default-x-my-vc", "team-x")
    assert meta["annotations"] == {"vcluster.loft.sh/skip-backsync": "true"}
    assert meta["labels"] == {"vcluster.loft.sh/managed-by": "my-vc", "vcluster.loft.sh/namespace": "default"}
    assert meta["ownerReferences"][0]["uid"] == "service-uid"
    assert tokens.is_token_secret(secret)


def test_token_secret_goes_with_the_host_pod() -> None:
    virtual = with_tokens(b.token_source())
    owner = tokens.pod_owner(b.host_of(virtual))
    secret = tokens.token_secret(b.pod_context(), virtual, {}, owner)
    assert secret["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Pod", "name": "web-x-default-x-my-vc", "uid": "host-uid"}
    ]


def test_token_secret_of_the_tenant_with_the_same_name_is_recognised() -> None:
    assert not tokens.is_token_secret({"metadata": {"name": "web-sa-token-x-default-x-my-vc"}})


def test_tokens_are_never_in_annotations() -> None:
    host = b.host_of(with_tokens(b.token_source()))
    assert not [key for key in host["metadata"]["annotations"] if "token" in key]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(3600, 2880), (600, 480), (100 * 3600, 24 * 3600), (30 * 3600, 24 * 3600), (29 * 3600, 0.8 * 29 * 3600)],
)
def test_tokens_are_renewed_at_80_percent_or_after_a_day(seconds: int, expected: float) -> None:
    assert tokens.refresh_at(ISSUED, ISSUED + datetime.timedelta(seconds=seconds)) == ISSUED + datetime.timedelta(
        seconds=expected
    )


def test_stored_tokens_are_read_back() -> None:
    secret = tokens.token_secret(b.pod_context(), b.pod(), {"a": "x.y.z"}, None)
    assert tokens.stored(secret) == {"a": "x.y.z"}
    assert tokens.stored(None) == {}
    assert tokens.stored({"data": {"a": "???"}}) == {}


def test_next_refresh_is_the_first_of_all() -> None:
    found = tokens.next_refresh({"a": jwt(seconds=3600), "b": jwt(seconds=1000), "c": "rubbish"})
    assert found == ISSUED + datetime.timedelta(seconds=800)
    assert tokens.next_refresh({}) is None


@pytest.mark.parametrize(
    ("token", "after", "expected"),
    [
        (jwt(), 2879, False),
        (jwt(), 2880, True),
        (jwt(seconds=365 * 86400, warn_after=3607), 2880, False),
        (jwt(seconds=365 * 86400, warn_after=3607), 2886, True),
        (jwt(pod_uid="older"), 0, True),
        (jwt(account="other"), 0, True),
        (jwt(audiences=["vault"]), 0, True),
        (None, 0, True),
        ("rubbish", 0, True),
        ("a.b.c", 0, True),
        ("a.bnVsbA.c", 0, True),
        ("a.e30.c", 0, True),
    ],
    ids=[
        "young",
        "old",
        "stretched, young",
        "stretched, old",
        "pod",
        "account",
        "audience",
        "missing",
        "no token",
        "no JSON",
        "null",
        "empty",
    ],
)
def test_tokens_are_due_when_missing_wrong_or_old(token: str | None, after: int, expected: bool) -> None:
    virtual = with_tokens(b.token_source())
    [need] = tokens.needs(b.pod_context(), virtual)
    assert tokens.due(need, virtual, token, now=ISSUED + datetime.timedelta(seconds=after)) is expected


def test_token_with_one_audience_as_text_is_read() -> None:
    claims = tokens.read_claims(jwt(audiences="vault"))
    assert claims is not None
    assert claims.audiences == {"vault"}
