from __future__ import annotations

import base64
import dataclasses
import datetime
from pathlib import Path

import prometheus_client
import pytest

from nestling.controlplane import authority, certificates, pki
from tests.unit.controlplane import fake_api, samples

REQUEST = certificates.request(samples.config(), samples.SYNCER)


def keeper(host: fake_api.FakeApi, folder: Path) -> certificates.Certificates:
    syncer = dataclasses.replace(samples.SYNCER, data_dir=folder, state_dir=folder / "run")
    expiry = prometheus_client.Gauge("x", "x", ["file"], registry=prometheus_client.CollectorRegistry())
    return certificates.Certificates(samples.config(), syncer, host.client, expiry)


def host() -> fake_api.FakeApi:
    api = fake_api.FakeApi()
    api.put(samples.host_service())
    return api


def stored(api: fake_api.FakeApi) -> pki.Files:
    return certificates.from_data(api.objects["secrets", "team-x", "my-vc-certs"]["data"])


def test_deployed_etcd_members_are_in_the_certificates() -> None:
    names = certificates.etcd_sans(samples.TENANT)
    assert {"my-vc-etcd", "my-vc-etcd.team-x", "my-vc-etcd-headless.team-x.svc", "*.my-vc-etcd-headless"} <= set(names)
    assert {"*.my-vc-headless", "*.my-vc-headless.team-x"} <= set(names)


def test_an_empty_folder_takes_everything_from_the_secret() -> None:
    files = pki.complete({}, REQUEST)
    assert certificates.merge({}, files) == files


def test_another_authority_in_the_secret_wins_over_the_folder() -> None:
    local, secret = pki.complete({}, REQUEST), pki.complete({}, REQUEST)
    assert certificates.merge(local, secret) == secret


def test_with_the_same_authority_the_folder_leads() -> None:
    files = pki.complete({}, REQUEST)
    renewed = pki.renew(files, REQUEST)
    assert certificates.merge(renewed, files) == renewed


def test_the_secret_has_the_keys_of_spec_4_2() -> None:
    secret = certificates.secret(samples.TENANT, pki.complete({}, REQUEST), {"uid": "u"})
    assert secret["metadata"]["name"] == "my-vc-certs"
    assert secret["metadata"]["labels"] == {"app": "vcluster", "vcluster-name": "my-vc"}
    expected = {"ca.crt", "ca.key", "sa.key", "apiserver.crt", "etcd-ca.crt", "etcd-server.key", "admin.conf"}
    assert expected <= set(secret["data"])


def test_a_damaged_secret_is_an_error_that_names_no_content() -> None:
    with pytest.raises(authority.CertificateError, match="damaged") as caught:
        certificates.from_data({"ca.key": "not base64!"})
    assert "not base64!" not in str(caught.value)


async def test_the_folder_is_filled_and_stored(tmp_path: Path) -> None:
    api = host()
    await keeper(api, tmp_path).reconcile()
    assert stored(api) == pki.read(tmp_path / "pki")
    owner = api.objects["secrets", "team-x", "my-vc-certs"]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Service", "my-vc", samples.SYNCER.facts.service_uid)


async def test_a_second_look_writes_nothing(tmp_path: Path) -> None:
    api = host()
    await keeper(api, tmp_path).reconcile()
    before = api.writes()
    await keeper(api, tmp_path).reconcile()
    assert api.writes() == before


async def test_an_edited_secret_is_repaired(tmp_path: Path) -> None:
    api = host()
    await keeper(api, tmp_path).reconcile()
    data = api.objects["secrets", "team-x", "my-vc-certs"]["data"]
    data["ca.crt"] = base64.b64encode(b"other").decode()
    data["unknown"] = ""
    await keeper(api, tmp_path).reconcile()
    assert stored(api) == pki.read(tmp_path / "pki")


async def test_a_load_balancer_that_appears_gets_into_the_certificate(tmp_path: Path) -> None:
    api = host()
    await keeper(api, tmp_path).reconcile()
    service = samples.host_service()
    service["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.4"}]}}
    api.put(service)
    before = pki.read(tmp_path / "pki")
    await keeper(api, tmp_path).reconcile()
    after = pki.read(tmp_path / "pki")
    assert "198.51.100.4" in authority.sans_of(authority.load_certificate(after["apiserver.crt"], name="x"))
    assert {name for name in after if after[name] != before[name]} == {"apiserver.crt", "apiserver.key"}


async def test_certificates_near_their_end_are_made_new_and_authorities_stay(tmp_path: Path) -> None:
    api = host()
    long_ago = authority.utc_now() - datetime.timedelta(days=300)
    old = pki.complete({}, REQUEST, now=long_ago)
    pki.write(tmp_path / "pki", old)
    await keeper(api, tmp_path).reconcile()
    new = stored(api)
    assert new["ca.crt"] == old["ca.crt"]
    assert new["sa.key"] == old["sa.key"]
    assert new["apiserver.crt"] != old["apiserver.crt"]
    assert new["admin.conf"] != old["admin.conf"]


def test_only_readers_of_a_changed_kubeconfig_are_restarted(tmp_path: Path) -> None:
    certificates.restart_readers(tmp_path, ("apiserver.crt",))
    certificates.restart_readers(tmp_path, ("controller-manager.conf",))  # without a supervisor nothing happens
    assert certificates.RESTARTS.keys() == {"controller-manager.conf", "scheduler.conf"}


def test_expiries_are_those_of_the_certificates() -> None:
    found = certificates.expiries(pki.complete({}, REQUEST))
    assert found["apiserver.crt"] < found["ca.crt"]
    assert "sa.key" not in found
