from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import prometheus_client

from nestling.controlplane import authority, certificate_keeper, certificates, pki, supervisor_status
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
    # each kubeconfig is read once, by whoever it is for
    assert certificate_keeper.RESTARTS.keys() == {user.path for user in pki.users(REQUEST)}


async def test_44_processes_that_hold_an_old_certificate_are_ended_when_it_is_made_new(tmp_path: Path) -> None:
    """All of them: a syncer with a certificate that has ended syncs nothing, however new the file is."""
    ended, kept = ("syncer", "kube-controller-manager", "kube-scheduler", "coredns"), ("kube-apiserver", "etcd")
    long_ago = authority.utc_now() - datetime.timedelta(days=300)
    pki.write(tmp_path / "pki", pki.complete({}, REQUEST, now=long_ago))
    with contextlib.ExitStack() as stack:
        waiting = {name: stack.enter_context(waits()) for name in (*ended, *kept)}
        found = {
            name: supervisor_status.ComponentStatus(
                state="running", pid=one.pid, start_time=supervisor_status.start_time(one.pid)
            )
            for name, one in waiting.items()
        }
        (tmp_path / "run").mkdir()
        supervisor_status.write(tmp_path / "run", supervisor_status.Status("my-vc", components=found))
        await keeper(host(), tmp_path).reconcile()
        assert [waiting[name].wait(timeout=60) for name in ended] == [-signal.SIGTERM] * len(ended)
        assert [waiting[name].poll() for name in kept] == [None] * len(kept)


@contextlib.contextmanager
def waits() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing, for as long as it takes."""
    with subprocess.Popen(["sleep", "infinity"]) as process:
        try:
            yield process
        finally:
            process.kill()
