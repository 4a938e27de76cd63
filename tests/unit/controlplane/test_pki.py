from __future__ import annotations

import base64
import datetime
import stat
from pathlib import Path

import pytest
import yaml

from nestling.controlplane import authority, pki

REQUEST = pki.Request(server="https://127.0.0.1:8443", sans=("my-vc.team.svc", "10.96.0.1"), etcd_sans=("my-vc-etcd",))
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def files() -> pki.Files:
    return pki.complete({}, REQUEST, now=NOW)


def test_layout_is_that_of_spec_4_2(files: pki.Files) -> None:
    pairs = {"apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"}
    pairs |= {"ca", "server-ca", "client-ca", "kubelet-client-ca", "front-proxy-ca"}
    pairs |= {"etcd/ca", "etcd/server", "etcd/peer", "etcd/healthcheck-client"}
    expected = {f"{name}.{end}" for name in pairs for end in ("crt", "key")}
    expected |= {"sa.key", "sa.pub", "admin.conf", "controller-manager.conf", "scheduler.conf", "syncer.conf"}
    assert set(files) == expected


def test_server_and_client_authority_are_copies_of_ca(files: pki.Files) -> None:
    assert files["server-ca.crt"] == files["client-ca.crt"] == files["ca.crt"]
    assert files["server-ca.key"] == files["client-ca.key"] == files["ca.key"]


def test_kubelet_client_certificate_comes_from_an_authority_of_its_own(files: pki.Files) -> None:
    leaf = authority.load_certificate(files["apiserver-kubelet-client.crt"], name="leaf")
    assert pki.load_authority(files, pki.KUBELET_CLIENT_CA).signed(leaf)
    assert not pki.load_authority(files, pki.CLIENT_CA).signed(leaf)


def test_lifetimes_are_ten_years_and_one(files: pki.Files) -> None:
    ca = authority.load_certificate(files["ca.crt"], name="ca")
    leaf = authority.load_certificate(files["apiserver.crt"], name="leaf")
    assert (ca.not_valid_after_utc - NOW).days in range(3650, 3655)
    assert (leaf.not_valid_after_utc - NOW).days == 365


def test_server_certificate_holds_loopback_and_the_given_names(files: pki.Files) -> None:
    names = authority.sans_of(authority.load_certificate(files["apiserver.crt"], name="leaf"))
    assert names >= {"localhost", "127.0.0.1", "::1", "my-vc.team.svc", "10.96.0.1"}
    assert "my-vc-etcd" in authority.sans_of(authority.load_certificate(files["etcd/server.crt"], name="leaf"))


def test_admin_conf_is_the_super_admin_with_everything_embedded(files: pki.Files) -> None:
    conf = yaml.safe_load(files["admin.conf"])
    cluster = conf["clusters"][0]["cluster"]
    pem = base64.b64decode(conf["users"][0]["user"]["client-certificate-data"])
    subject = authority.subject_of(authority.load_certificate(pem, name="admin"))
    assert cluster["server"] == REQUEST.server
    assert base64.b64decode(cluster["certificate-authority-data"]) == files["ca.crt"]
    assert subject == ("kubernetes-super-admin", ("system:masters",))


def test_a_second_run_changes_nothing(files: pki.Files) -> None:
    assert pki.complete(files, REQUEST, now=NOW) == files
    assert pki.needs_renewal(files, REQUEST, now=NOW) == {}


def test_leaves_inside_the_renewal_window_are_remade_and_authorities_kept(files: pki.Files) -> None:
    later = NOW + datetime.timedelta(days=276)
    assert pki.needs_renewal(files, REQUEST, now=NOW + datetime.timedelta(days=274)) == {}
    problems = pki.needs_renewal(files, REQUEST, now=later)
    renewed = pki.complete(files, REQUEST, now=later)
    assert problems["apiserver.crt"] == "expires on 2031-01-01"
    assert set(problems) >= {"admin.conf", "etcd/peer.crt", "front-proxy-client.crt"}
    kept = {name for name in files if renewed[name] == files[name]}
    authorities = {f"{name}.{end}" for name in (*pki._OWN_AUTHORITIES, *pki._COPIES) for end in ("crt", "key")}
    assert kept == {"sa.key", "sa.pub"} | authorities


def test_renew_remakes_every_leaf_at_any_age(files: pki.Files) -> None:
    renewed = pki.renew(files, REQUEST, now=NOW)
    assert renewed["ca.crt"] == files["ca.crt"]
    assert renewed["sa.key"] == files["sa.key"]
    assert renewed["apiserver.crt"] != files["apiserver.crt"]
    assert renewed["admin.conf"] != files["admin.conf"]


def test_one_missing_leaf_is_the_only_one_remade(files: pki.Files) -> None:
    partial = {name: content for name, content in files.items() if name != "apiserver.key"}
    renewed = pki.complete(partial, REQUEST, now=NOW)
    assert {name for name in files if renewed[name] != files[name]} == {"apiserver.crt", "apiserver.key"}


def test_a_new_name_remakes_the_server_certificate(files: pki.Files) -> None:
    request = pki.Request(server=REQUEST.server, sans=(*REQUEST.sans, "lb.example.org"), etcd_sans=REQUEST.etcd_sans)
    assert pki.needs_renewal(files, request, now=NOW) == {"apiserver.crt": "lacks the names lb.example.org"}


def test_another_port_remakes_the_kubeconfigs(files: pki.Files) -> None:
    request = pki.Request(server="https://127.0.0.1:9443", sans=REQUEST.sans, etcd_sans=REQUEST.etcd_sans)
    assert set(pki.needs_renewal(files, request, now=NOW)) == {user.path for user in pki.users(REQUEST)}


def test_an_authority_placed_by_the_user_signs_everything(files: pki.Files) -> None:
    own = authority.Authority.create("our company", now=NOW)
    made = pki.complete({"ca.crt": own.pair.cert, "ca.key": own.pair.key}, REQUEST, now=NOW)
    assert made["ca.crt"] == made["server-ca.crt"] == own.pair.cert
    assert own.signed(authority.load_certificate(made["apiserver.crt"], name="leaf"))


def test_an_authority_without_its_key_is_refused(files: pki.Files) -> None:
    with pytest.raises(authority.CertificateError, match=r"ca\.key is missing"):
        pki.complete({"ca.crt": files["ca.crt"]}, REQUEST, now=NOW)


def test_an_authority_with_a_foreign_key_is_refused(files: pki.Files) -> None:
    with pytest.raises(authority.CertificateError, match=r"ca\.key is not the key of ca\.crt"):
        pki.complete({"ca.crt": files["ca.crt"], "ca.key": files["etcd/ca.key"]}, REQUEST, now=NOW)


def test_an_expired_authority_is_refused(files: pki.Files) -> None:
    with pytest.raises(authority.CertificateError, match="expired on"):
        pki.complete(files, REQUEST, now=NOW + datetime.timedelta(days=3700))


def test_a_leaf_never_outlives_its_authority_and_is_not_remade_for_ever(files: pki.Files) -> None:
    late = NOW + datetime.timedelta(days=3600)
    made = pki.complete(files, REQUEST, now=late)
    leaf = authority.load_certificate(made["apiserver.crt"], name="leaf")
    assert leaf.not_valid_after_utc == authority.load_certificate(made["ca.crt"], name="ca").not_valid_after_utc
    assert pki.needs_renewal(made, REQUEST, now=late) == {}


def test_the_secret_form_keeps_every_file(files: pki.Files) -> None:
    data = pki.to_secret(files)
    assert data["etcd-server.crt"] == files["etcd/server.crt"]
    assert all("/" not in key for key in data)
    assert pki.from_secret(data) == files


def test_files_on_disk_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    files = pki.write_control_plane_pki(folder, REQUEST)
    assert pki.read(folder) == files
    for path in (folder, folder / "etcd"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        if path.suffix in {".key", ".conf"}:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writing_again_touches_only_what_differs(tmp_path: Path) -> None:
    files = pki.write_control_plane_pki(tmp_path, REQUEST)
    (tmp_path / "apiserver.crt").unlink()
    (tmp_path / "sa.key").chmod(0o644)
    assert pki.write(tmp_path, files) == ("apiserver.crt",)
    assert stat.S_IMODE((tmp_path / "sa.key").stat().st_mode) == 0o600
