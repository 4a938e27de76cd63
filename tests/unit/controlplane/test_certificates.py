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
