from __future__ import annotations

import pytest

from nestling.controlplane import authority, certificates, pki
from tests.unit.controlplane import samples

REQUEST = certificates.request(samples.config(), samples.SYNCER)


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


def test_expiries_are_those_of_the_certificates() -> None:
    found = certificates.expiries(pki.complete({}, REQUEST))
    assert found["apiserver.crt"] < found["ca.crt"]
    assert "sa.key" not in found


def rotated(local: pki.Files, stored: pki.Files, *, authorities: bool) -> tuple[pki.Files, pki.Files]:
    wanted = pki.Request(server="https://127.0.0.1:8443")
    return certificates.rotated(local, stored, wanted, authorities=authorities)


def test_a_rotation_keeps_authorities_and_the_key_of_service_accounts() -> None:
    files = pki.complete({}, pki.Request(server="https://127.0.0.1:8443"))
    old, new = rotated(files, files, authorities=False)
    assert old == files
    same = {name for name in files if new[name] == files[name]}
    assert {"sa.key", "sa.pub", "ca.crt", "ca.key", "etcd/ca.key", "front-proxy-ca.crt"} <= same
    assert not {"apiserver.crt", "apiserver.key", "etcd/peer.crt", "admin.conf", "syncer.conf"} & same


def test_a_rotation_of_authorities_keeps_only_the_key_of_service_accounts() -> None:
    files = pki.complete({}, pki.Request(server="https://127.0.0.1:8443"))
    _, new = rotated(files, files, authorities=True)
    assert {name for name in files if new[name] == files[name]} == {"sa.key", "sa.pub"}
    assert new["server-ca.crt"] == new["ca.crt"]


def test_an_authority_that_a_user_put_there_signs_from_then_on() -> None:
    files = pki.complete({}, pki.Request(server="https://127.0.0.1:8443"))
    mine = authority.Authority.create("mine").pair
    _, new = rotated({**files, "ca.crt": mine.cert, "ca.key": mine.key}, files, authorities=True)
    assert (new["ca.crt"], new["server-ca.crt"], new["client-ca.key"]) == (mine.cert, mine.cert, mine.key)
    leaf = authority.load_certificate(new["apiserver.crt"], name="apiserver.crt")
    assert authority.Authority.load(mine).signed(leaf)


def test_an_authority_that_was_rotated_away_does_not_come_back_from_a_folder_that_lags_behind() -> None:
    """A crash between writing the Secret and writing the folder, and then a second rotation."""
    before = pki.complete({}, pki.Request(server="https://127.0.0.1:8443"))
    _, stored = rotated(before, before, authorities=True)
    old, new = rotated(before, stored, authorities=True)
    assert old == stored
    assert new["ca.crt"] not in (before["ca.crt"], stored["ca.crt"])


def test_after_a_crash_at_any_point_the_next_start_has_certificates_that_fit_together() -> None:
    wanted = pki.Request(server="https://127.0.0.1:8443")
    before = pki.complete({}, wanted)
    for authorities in (False, True):
        _, after = rotated(before, before, authorities=authorities)
        names = sorted(after)
        for stored, count in [(before, 0), *((after, count) for count in range(0, len(names) + 1, 7))]:
            folder = {**before, **{name: after[name] for name in names[:count]}}
            started = pki.complete(certificates.merge(folder, stored), wanted)
            assert pki.needs_renewal(started, wanted) == {}
            assert started["ca.crt"] == stored["ca.crt"]
