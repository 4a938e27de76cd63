from __future__ import annotations

import base64

import yaml

from nestling.controlplane import kubeconfigs
from nestling.kube.resource import Obj
from tests.unit.controlplane import samples

CERTIFICATE = kubeconfigs.Credentials(ca=b"CA", client_cert=b"CERT", client_key=b"KEY")
OWNER = {"apiVersion": "v1", "kind": "Service", "name": "my-vc", "uid": "u"}


def targets(text: str = "", port: int = 8443) -> tuple[kubeconfigs.Target, ...]:
    return kubeconfigs.targets(samples.config(text), samples.TENANT, port=port)


def parsed(target: kubeconfigs.Target, credentials: kubeconfigs.Credentials = CERTIFICATE) -> Obj:
    content: Obj = yaml.safe_load(kubeconfigs.kubeconfig(target, credentials))
    return content


def test_the_default_secret_is_vc_name_on_localhost() -> None:
    (target,) = targets()
    assert (target.namespace, target.name, target.server) == ("team-x", "vc-my-vc", "https://localhost:8443")


def test_another_port() -> None:
    assert targets(port=24443)[0].server == "https://localhost:24443"


def test_the_default_context_is_that_of_kubeadm() -> None:
    config = parsed(targets()[0])
    assert config["current-context"] == "kubernetes-super-admin@kubernetes"
    user = config["users"][0]
    assert user["name"] == "kubernetes-super-admin"
    assert base64.b64decode(user["user"]["client-key-data"]) == b"KEY"


def test_context_names_cluster_user_and_context() -> None:
    config = parsed(targets("exportKubeConfig: {context: prod}")[0])
    assert config["current-context"] == "prod"
    assert config["contexts"] == [{"name": "prod", "context": {"cluster": "prod", "user": "prod"}}]
    assert (config["clusters"][0]["name"], config["users"][0]["name"]) == ("prod", "prod")


def test_insecure_drops_the_authority() -> None:
    (target,) = targets("exportKubeConfig: {insecure: true, server: 'https://x:443'}")
    assert parsed(target)["clusters"][0]["cluster"] == {"server": "https://x:443", "insecure-skip-tls-verify": True}
    assert kubeconfigs.secret(target, CERTIFICATE, samples.TENANT, OWNER)["data"]["certificate-authority"] == ""


def test_a_token_takes_the_place_of_the_certificate() -> None:
    (target,) = targets("exportKubeConfig: {serviceAccount: {name: sa}}")
    assert target.service_account == kubeconfigs.ServiceAccountRef("sa", "kube-system", "")
    credentials = kubeconfigs.Credentials(ca=b"CA", token="T")
    assert parsed(target, credentials)["users"][0]["user"] == {"token": "T"}
    data = kubeconfigs.secret(target, credentials, samples.TENANT, OWNER)["data"]
    assert (base64.b64decode(data["token"]), data["client-certificate"], data["client-key"]) == (b"T", "", "")


def test_the_secret_has_the_keys_and_labels_of_spec_4_3() -> None:
    secret = kubeconfigs.secret(targets()[0], CERTIFICATE, samples.TENANT, OWNER)
    assert set(secret["data"]) == {"config", "certificate-authority", "client-certificate", "client-key", "token"}
    assert secret["type"] == "Opaque"
    assert secret["metadata"]["labels"].items() >= {"app": "vcluster", "vcluster-name": "my-vc"}.items()
    assert secret["metadata"]["ownerReferences"] == [OWNER]


def test_additional_secrets_are_written_beside_the_default_one() -> None:
    found = targets(
        "exportKubeConfig: {server: 'https://a', additionalSecrets: [{name: b, context: c, server: 'https://b'},"
        " {namespace: argo, insecure: true, serviceAccount: {name: s, namespace: ns, clusterRole: view}}]}"
    )
    assert [(target.namespace, target.name, target.server) for target in found] == [
        ("team-x", "vc-my-vc", "https://a"),
        ("team-x", "b", "https://b"),
        ("argo", "vc-my-vc", "https://localhost:8443"),
    ]
    assert found[2].service_account == kubeconfigs.ServiceAccountRef("s", "ns", "view")
    assert found[1].service_account is None


def test_a_secret_in_another_namespace_has_no_owner() -> None:
    target = targets("exportKubeConfig: {additionalSecrets: [{namespace: argo}]}")[1]
    assert "ownerReferences" not in kubeconfigs.secret(target, CERTIFICATE, samples.TENANT, OWNER)["metadata"]


def test_the_deprecated_secret_key() -> None:
    found = targets("exportKubeConfig: {context: c, secret: {name: old}}")
    assert [(target.name, target.context) for target in found] == [("vc-my-vc", "c"), ("old", "c")]


def test_what_differs() -> None:
    wanted = kubeconfigs.secret(targets()[0], CERTIFICATE, samples.TENANT, OWNER)
    same = {**wanted, "metadata": {**wanted["metadata"], "labels": {**wanted["metadata"]["labels"], "other": "x"}}}
    assert not kubeconfigs.differs(same, wanted)
    assert kubeconfigs.differs({**wanted, "data": {**wanted["data"], "config": "eA=="}}, wanted)
    assert kubeconfigs.differs({**wanted, "metadata": {"labels": {}}}, wanted)


def test_a_secret_of_somebody_else_is_not_ours() -> None:
    mine = {"metadata": {"labels": {"vcluster-name": "my-vc", "vcluster-namespace": "team-x"}}, "data": {"a": "b"}}
    namesake = {"metadata": {"labels": {"vcluster-name": "my-vc", "vcluster-namespace": "team-y"}}, "data": {"a": "b"}}
    foreign: Obj = {"metadata": {}, "data": {"password": "eA=="}}
    empty: Obj = {"metadata": {}}
    assert kubeconfigs.is_ours(mine, samples.TENANT)
    assert kubeconfigs.is_ours(empty, samples.TENANT)
    assert not kubeconfigs.is_ours(namesake, samples.TENANT)
    assert not kubeconfigs.is_ours(foreign, samples.TENANT)


def test_credentials_do_not_show_their_secrets() -> None:
    assert "KEY" not in repr(CERTIFICATE)
