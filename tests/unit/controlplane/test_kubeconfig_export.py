from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from nestling.controlplane import certificates, kubeconfig_export, kubeconfigs, loops, pki, service_accounts
from nestling.kube.resource import Obj
from tests.unit.controlplane import fake_api, samples

NOW = 1_000_000.0


SUBJECT = "system:serviceaccount:kube-system:sa"


def token(*, expires: float = NOW + 1000, issued: float = NOW, subject: str = SUBJECT) -> str:
    claims = json.dumps({"iat": int(issued), "exp": int(expires), "sub": subject}).encode()
    return f"h.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.s"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    pki.write_control_plane_pki(tmp_path / "pki", certificates.request(samples.config(), samples.SYNCER))
    return tmp_path


class World:
    """Both API servers and the duty."""

    def __init__(self, data_dir: Path, text: str = "") -> None:
        self.host, self.virtual = fake_api.FakeApi(), fake_api.FakeApi()
        syncer = dataclasses.replace(samples.SYNCER, data_dir=data_dir)
        self.exporter = kubeconfig_export.Exporter(
            samples.config(text), syncer, self.host.client, self.virtual.client, now=lambda: NOW
        )

    def secret(self, name: str = "vc-my-vc", namespace: str = "team-x") -> Obj:
        return self.host.objects["secrets", namespace, name]

    def kubeconfig(self, name: str = "vc-my-vc", namespace: str = "team-x") -> Obj:
        content: Obj = yaml.safe_load(base64.b64decode(self.secret(name, namespace)["data"]["config"]))
        return content


async def test_the_administrators_kubeconfig_is_written(data_dir: Path) -> None:
    world = World(data_dir)
    await world.exporter.reconcile()
    assert world.kubeconfig()["clusters"][0]["cluster"]["server"] == "https://localhost:8443"
    admin = yaml.safe_load((data_dir / "pki" / "admin.conf").read_text())
    assert world.kubeconfig()["users"][0]["user"] == admin["users"][0]["user"]


async def test_a_second_look_writes_nothing(data_dir: Path) -> None:
    world = World(data_dir)
    await world.exporter.reconcile()
    before = world.host.writes()
    await world.exporter.reconcile()
    assert world.host.writes() == before


async def test_a_deleted_and_an_edited_secret_are_repaired_and_other_keys_stay(data_dir: Path) -> None:
    world = World(data_dir)
    await world.exporter.reconcile()
    world.secret()["data"]["config"] = "eA=="
    world.secret()["data"]["mine"] = "eA=="
    await world.exporter.reconcile()
    assert world.kubeconfig()["kind"] == "Config"
    assert world.secret()["data"]["mine"] == "eA=="
    del world.host.objects["secrets", "team-x", "vc-my-vc"]
    await world.exporter.reconcile()
    assert world.kubeconfig()["kind"] == "Config"


async def test_a_secret_of_somebody_else_is_left_alone_and_the_others_are_written(data_dir: Path) -> None:
    world = World(data_dir, "exportKubeConfig: {additionalSecrets: [{namespace: argo, name: taken}, {name: other}]}")
    foreign = {"kind": "Secret", "metadata": {"name": "taken", "namespace": "argo"}, "data": {"password": "eA=="}}
    world.host.put(foreign)
    with pytest.raises(loops.NotYetError, match="Secret argo/taken: it exists and belongs to somebody else"):
        await world.exporter.reconcile()
    assert world.secret("taken", "argo")["data"] == {"password": "eA=="}
    assert world.kubeconfig("other")["kind"] == "Config"


async def test_a_service_account_with_a_cluster_role_is_made_and_its_token_exported(data_dir: Path) -> None:
    world = World(data_dir, "exportKubeConfig: {serviceAccount: {name: sa, clusterRole: view}}")
    world.virtual.answers["serviceaccounts", "token"] = {"status": {"token": token()}}
    await world.exporter.reconcile()
    assert world.kubeconfig()["users"][0]["user"] == {"token": token()}
    assert ("serviceaccounts", "kube-system", "sa") in world.virtual.objects
    binding = world.virtual.objects["clusterrolebindings", "", "vcluster-sa-sa-kube-system"]
    assert binding["roleRef"]["name"] == "view"


async def test_an_accepted_token_is_kept_and_a_refused_one_is_replaced(data_dir: Path) -> None:
    world = World(data_dir, "exportKubeConfig: {serviceAccount: {name: sa}}")
    world.virtual.answers["serviceaccounts", "token"] = {"status": {"token": token()}}
    await world.exporter.reconcile()
    world.virtual.answers["serviceaccounts", "token"] = {"status": {"token": token(expires=NOW + 2000)}}
    world.virtual.answers["tokenreviews", ""] = {"status": {"authenticated": True}}
    await world.exporter.reconcile()
    assert world.kubeconfig()["users"][0]["user"] == {"token": token()}
    world.virtual.answers["tokenreviews", ""] = {"status": {"authenticated": False}}
    await world.exporter.reconcile()
    assert world.kubeconfig()["users"][0]["user"] == {"token": token(expires=NOW + 2000)}


@pytest.mark.parametrize(
    ("found", "fresh"),
    [
        (token(issued=NOW - 100, expires=NOW + 1000), True),
        (token(issued=NOW - 900, expires=NOW + 100), False),
        (token(subject="system:serviceaccount:kube-system:other"), False),
        ("not.a.token", False),
        ("", False),
    ],
)
def test_tokens_are_replaced_after_two_thirds_of_their_life(found: str, fresh: bool) -> None:
    account = kubeconfigs.ServiceAccountRef("sa")
    assert service_accounts.is_fresh(found, account, now=NOW) is fresh


def test_an_incomplete_folder_is_waited_for() -> None:
    with pytest.raises(loops.NotYetError, match=r"admin\.conf"):
        kubeconfig_export.credentials({})
