from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from nestling.controlplane import authority
from nestling.drivers import errors
from nestling.lifecycle import certs
from tests.unit.lifecycle import fakes

NOW = datetime.datetime(2026, 6, 1, 12, 0, tzinfo=datetime.UTC)


def pem(days: int, name: str = "kube-apiserver") -> bytes:
    """A certificate that ends that many days after ``NOW``, signed by an authority that outlives it."""
    start = min(NOW, NOW + datetime.timedelta(days=days)) - datetime.timedelta(days=30)
    signer = authority.Authority.create("kubernetes", now=start)
    lifetime = NOW + datetime.timedelta(days=days) - start
    return signer.issue(authority.Subject(name), lifetime=lifetime, now=start).cert


def test_the_table_has_the_columns_of_the_original() -> None:
    table = certs.as_table(certs.read({"apiserver.crt": pem(300)}), now=NOW)
    header, _, row = table.strip("\n").splitlines()
    assert [cell.strip() for cell in header.split("|")] == ["FILENAME", "SUBJECT", "ISSUER", "EXPIRES ON", "STATUS"]
    assert [cell.strip() for cell in row.split("|")] == [
        "apiserver.crt",
        "kube-apiserver",
        "kubernetes",
        "Mar 28, 2027 12:00 UTC",
        "OK",
    ]


def test_json_has_the_keys_of_the_original_and_four_spaces() -> None:
    text = certs.as_json(certs.read({"b.crt": pem(-1), "a.crt": pem(300)}), now=NOW)
    assert text.startswith('[\n    {\n        "filename": "a.crt",')
    rows = json.loads(text)
    assert [list(row) for row in rows] == [["filename", "subject", "issuer", "expiryTime", "status"]] * 2
    assert [(row["expiryTime"], row["status"]) for row in rows] == [
        ("2027-03-28T12:00:00Z", "OK"),
        ("2026-05-31T12:00:00Z", "EXPIRED"),
    ]


def test_what_expired_or_soon_will_is_named_with_what_to_do() -> None:
    found = certs.read(
        {"apiserver.crt": pem(-1), "etcd/server.crt": pem(29), "admin.conf": pem(31), "etcd/ca.crt": pem(3)}
    )
    signing, leaves = certs.advice(found, "my-vc", now=NOW)
    assert "etcd/ca.crt expires on 2026-06-04, in 3 days" in signing
    assert "nestling certs rotate-ca my-vc" in signing
    assert "apiserver.crt expired on 2026-05-31" in leaves
    assert "etcd/server.crt expires on 2026-06-30, in 29 days" in leaves
    assert "nestling certs rotate my-vc" in leaves
    assert "admin.conf" not in signing + leaves


def test_nothing_is_said_about_certificates_that_are_in_order() -> None:
    assert certs.advice(certs.read({"a.crt": pem(31), "ca.crt": pem(31)}), "my-vc", now=NOW) == []


def test_a_file_without_a_certificate_is_listed_as_that() -> None:
    found = certs.read({"apiserver.crt": b"nonsense"})
    assert json.loads(certs.as_json(found, now=NOW))[0]["status"] == "UNREADABLE"
    assert "UNREADABLE" in certs.as_table(found, now=NOW)
    assert "apiserver.crt cannot be read" in certs.advice(found, "my-vc", now=NOW)[0]


async def test_check_asks_the_driver_for_a_paused_one_too(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster(status="Paused"))
    driver.files = {"apiserver.crt": pem(300)}
    assert [one.filename for one in await certs.check(current, "my-vc")] == ["apiserver.crt"]


async def test_rotate_says_where_the_old_ones_are(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    await certs.rotate(current, "my-vc", authorities=False)
    assert driver.calls == ["rotate my-vc False"]
    assert "/backup" in current.reporter.lines[-1]  # type: ignore[attr-defined]  # the fake's


async def test_after_new_authorities_the_stale_contexts_are_named(tmp_path: Path) -> None:
    from nestling.lifecycle import connect

    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect(current, "my-vc", connect.Access())
    await certs.rotate(current, "my-vc", authorities=True)
    last = current.reporter.lines[-1]  # type: ignore[attr-defined]  # the fake's
    assert "vcluster_my-vc_vcluster-my-vc_nestling-default" in last
    assert "nestling connect my-vc" in last


async def test_a_half_made_one_is_refused(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster(status="Failed"))
    with pytest.raises(errors.UserError, match="failed"):
        await certs.rotate(current, "my-vc", authorities=False)
    assert driver.calls == []
