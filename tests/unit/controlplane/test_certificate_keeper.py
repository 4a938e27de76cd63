from __future__ import annotations

import base64
import dataclasses
import datetime
from pathlib import Path

import prometheus_client

from nestling.controlplane import authority, certificate_keeper, certificates, pki
from tests.unit.controlplane import fake_api, samples

REQUEST = certificates.request(samples.config(), samples.SYNCER)


def keeper(host: fake_api.FakeApi, folder: Path) -> certificate_keeper.Keeper:
    syncer = dataclasses.replace(samples.SYNCER, data_dir=folder, state_dir=folder / "run")
    expiry = prometheus_client.Gauge("x", "x", ["file"], registry=prometheus_client.CollectorRegistry())
    return certificate_keeper.Keeper(samples.config(), syncer, host.client, expiry)


def host() -> fake_api.FakeApi:
    api = fake_api.FakeApi()
    api.put(samples.host_service())
    return api


def stored(api: fake_api.FakeApi) -> pki.Files:
    return certificates.from_data(api.objects["secrets", "team-x", "my-vc-certs"]["data"])


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
    certificate_keeper.restart_readers(tmp_path, ("apiserver.crt",))
    certificate_keeper.restart_readers(tmp_path, ("controller-manager.conf",))  # without a supervisor nothing happens
    assert certificate_keeper.RESTARTS.keys() == {"controller-manager.conf", "scheduler.conf"}
