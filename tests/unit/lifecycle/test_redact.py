from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from nestling.lifecycle import redact

MARK = "s3cr3t-m4rk3r"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI\nabcd==\n-----END EC PRIVATE KEY-----"


def secret(**data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "type": "Opaque", "data": encoded}


def masked(content: Any) -> str:
    return json.dumps(redact.Redactor().value(content))


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {MARK}",
        f"GET /x?token={MARK}&y=1",
        f"level=info password={MARK} user=a",
        f'{{"client_secret": "{MARK}", "a": 1}}',
        f'db password: "two words {MARK}" more',
        f"--db-password={MARK}",
        f"refused: password={MARK}",
        f"secretName: token={MARK}",
        f"API_KEY: {MARK}",
        f"connecting to postgres://app:{MARK}@db:5432/x",
        f"mysql app:{MARK}@tcp(db:3306)/x",
        f"issued {JWT}-{MARK}"[: len("issued ") + len(JWT)],
        PEM.replace("abcd", MARK),
        PEM.replace("abcd", MARK).partition("-----END")[0],
        "data: " + base64.b64encode(PEM.encode()).decode(),
    ],
)
def test_what_looks_like_a_secret_is_masked_in_text(text: str) -> None:
    shown = redact.Redactor().text(text)
    assert MARK not in shown
    assert JWT not in shown
    assert "LS0tLS1CRUdJTi" not in shown
    assert redact.MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "secretName: my-secret tokenExpirationSeconds=3600 automountServiceAccountToken: false",
        "--service-account-signing-key-file=/x/sa.key --token-auth-file=/y",
        "kubectl get secrets -n default",
        "https://127.0.0.1:8443/api/v1/namespaces/default/secrets?limit=500",
        "12:00:01 error etcd is unready: context deadline exceeded",
    ],
)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert redact.Redactor().text(text) == text


def test_long_words_take_no_long_time() -> None:
    """A megabyte without a space, as in a log of a binary object; quadratic work would take hours."""
    text = "password" * 100 + "a.b-c_d" * (1 << 17)
    assert len(redact.Redactor().text(text)) == len(text)


def test_a_secret_shows_its_keys_and_sizes_only() -> None:
    shown = redact.Redactor().value({**secret(password=MARK), "stringData": {"b": MARK}})
    assert set(shown["data"]) == {"password"}
    assert "redacted" in shown["data"]["password"]
    assert MARK not in json.dumps(shown)
    assert base64.b64encode(MARK.encode()).decode() not in json.dumps(shown)


def test_values_of_secrets_are_found_wherever_they_turn_up_again() -> None:
    redactor = redact.Redactor()
    redactor.learn(secret(a=MARK, b=f"first line\n{MARK}-of-a-line-of-its-own\nlast"))
    encoded = base64.b64encode(MARK.encode()).decode()
    assert redactor.text(f"quota exceeded for {MARK}!") == "quota exceeded for (redacted)!"
    assert encoded not in redactor.text(f"x={encoded}")
    assert MARK not in redactor.text(f"a log line with {MARK}-of-a-line-of-its-own in it")
    assert redactor.value({"message": f"say {MARK}", f"key-{MARK}": 1}) == {
        "message": "say (redacted)",
        "key-(redacted)": 1,
    }


def test_the_namespace_in_a_token_secret_is_not_masked_everywhere() -> None:
    redactor = redact.Redactor()
    token = {**secret(token=MARK, namespace="vcluster-lab"), "type": "kubernetes.io/service-account-token"}
    redactor.learn(token)
    assert redactor.text(f"vcluster-lab {MARK}") == "vcluster-lab (redacted)"


def test_environment_variables_keep_their_names_and_sources() -> None:
    env = [
        {"name": "ANY", "value": MARK},
        {"name": "REF", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
    ]
    shown = redact.Redactor().value({"containers": [{"env": env}]})["containers"][0]["env"]
    assert shown == [{"name": "ANY", "value": redact.MASK}, env[1]]


def test_arguments_of_commands_are_masked_in_both_spellings() -> None:
    assert redact.Redactor().value({"args": ["--db-password", MARK, f"--token={MARK}", "--port", "80"]}) == {
        "args": ["--db-password", redact.MASK, f"--token={redact.MASK}", "--port", "80"]
    }


def test_copies_of_whole_objects_are_dropped() -> None:
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": MARK,
        "vcluster.loft.sh/token-abc": MARK,
        "a": "b",
    }
    shown = redact.Redactor().value({"metadata": {"annotations": annotations, "managedFields": [{"f": MARK}]}})
    assert shown == {"metadata": {"annotations": {"vcluster.loft.sh/token-abc": redact.MASK, "a": "b"}}}


@pytest.mark.parametrize(
    "config",
    [
        {"controlPlane": {"backingStore": {"database": {"external": {"dataSource": f"mysql://a:{MARK}@x"}}}}},
        {"platform": {"api": {"accessKey": MARK}}},
        {"controlPlane": {"statefulSet": {"env": [{"name": "A", "value": MARK}]}}},
        {"registry": {"auth": MARK, "password": MARK}},
        {"tokens": [MARK]},
        {"password": f"/{MARK}", "args": [f"--password=/{MARK}"]},
        {"manifests": f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  any: {MARK}\n"},
        {"manifests": f"kind: ConfigMap\n---\nkind: Secret\ndata:\n  any: {MARK}\n"},
        {"config": json.dumps({"auths": {"registry": {"auth": MARK}}})},
        {"kubeconfig": yaml.safe_dump({"users": [{"user": {"token": MARK, "client-key-data": MARK}}]})},
    ],
)
def test_secrets_in_a_configuration_are_masked(config: dict[str, Any]) -> None:
    assert MARK not in masked(config)


def test_numbers_are_passwords_too() -> None:
    assert redact.Redactor().value({"password": 12345678, "tokens": [1234], "secretEnabled": True}) == {
        "password": redact.MASK,
        "tokens": [redact.MASK],
        "secretEnabled": True,
    }
    assert redact.Redactor().text("password=12345678") == "password=(redacted)"


def test_an_ordinary_configuration_stays_as_it_is() -> None:
    config = {
        "sync": {"toHost": {"secrets": {"enabled": True, "all": False}}, "fromHost": {"nodes": {"enabled": True}}},
        "exportKubeConfig": {"additionalSecrets": [{"name": "mine", "namespace": "x"}]},
        "imagePullSecrets": [{"name": "pull"}],
        "coredns": {"overwriteConfig": ".:1053 {\n  errors\n  health\n}\n"},
    }
    assert redact.Redactor().value(config) == config
