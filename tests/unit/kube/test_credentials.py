from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
import trustme

from nestling.kube import credentials, errors, kubeconfig

_AUTHORITY = trustme.CA()


class Clock:
    """time.monotonic under our control."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr("nestling.kube.credentials.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def _headers(found: credentials.Credentials) -> dict[str, str]:
    return dict((await found.ready()).headers)


def _config(server: str = "http://h", **more: object) -> kubeconfig.ClientConfig:
    return kubeconfig.ClientConfig(server=server, **more)  # type: ignore[arg-type]  # each test knows its fields


async def test_token() -> None:
    assert await _headers(credentials.Credentials(_config(token="t"))) == {"Authorization": "Bearer t"}


async def test_username_and_password() -> None:
    found = await _headers(credentials.Credentials(_config(username="u", password="p")))
    assert found == {"Authorization": f"Basic {base64.b64encode(b'u:p').decode()}"}


async def test_nothing() -> None:
    found = credentials.Credentials(_config())
    assert await found.ready() == credentials.Ready(None)
    assert not found.forget()


async def test_impersonation_goes_along() -> None:
    found = credentials.Credentials(_config(token="t", impersonate=(("Impersonate-User", "jane"),)))
    assert (await found.ready()).headers == (("Authorization", "Bearer t"), ("Impersonate-User", "jane"))


async def test_headers_are_not_shown() -> None:
    assert "secret" not in repr(await credentials.Credentials(_config(token="secret")).ready())


class TestTokenFile:
    async def test_is_read_again_after_a_minute(self, tmp_path: Path, clock: Clock) -> None:
        path = tmp_path / "token"
        path.write_text("old\n")
        found = credentials.Credentials(_config(token="unused", token_file=path))
        assert await _headers(found) == {"Authorization": "Bearer old"}
        path.write_text("new\n")
        clock.now += 59
        assert await _headers(found) == {"Authorization": "Bearer old"}
        clock.now += 2
        assert await _headers(found) == {"Authorization": "Bearer new"}

    async def test_or_when_the_server_does_not_take_it(self, tmp_path: Path, clock: Clock) -> None:
        path = tmp_path / "token"
        path.write_text("old")
        found = credentials.Credentials(_config(token_file=path))
        await found.ready()
        path.write_text("new")
        assert found.forget()
        assert await _headers(found) == {"Authorization": "Bearer new"}

    async def test_that_is_gone_leaves_the_last_one(self, tmp_path: Path, clock: Clock) -> None:
        path = tmp_path / "token"
        path.write_text("old")
        found = credentials.Credentials(_config(token_file=path))
        await found.ready()
        path.unlink()
        clock.now += 61
        assert await _headers(found) == {"Authorization": "Bearer old"}

    async def test_that_was_never_there(self, tmp_path: Path) -> None:
        found = credentials.Credentials(_config(token_file=tmp_path / "absent"))
        with pytest.raises(errors.CredentialsFailed, match=r"no credentials for http://h.*absent"):
            await found.ready()


def _plugin(folder: Path, expires: str = "") -> kubeconfig.ExecPlugin:
    """Prints the token t1, then t2, and so on."""
    status = {"token": "tN"} | ({"expirationTimestamp": expires} if expires else {})
    answer = json.dumps({"apiVersion": kubeconfig.EXEC_VERSIONS[0], "status": status})
    count = folder / "count"
    path = folder / "plugin"
    path.write_text(f"""#!/bin/sh\necho x >> {count}\necho '{answer}' | sed s/tN/t$(wc -l < {count})/\n""")
    path.chmod(0o700)
    return kubeconfig.ExecPlugin(command=str(path), interactive_mode="Never")


class TestPlugin:
    async def test_runs_once_until_its_credentials_expire(self, tmp_path: Path) -> None:
        found = credentials.Credentials(_config(exec_plugin=_plugin(tmp_path, "2999-01-01T00:00:00Z")))
        for _ in range(3):
            assert await _headers(found) == {"Authorization": "Bearer t1"}

    async def test_runs_again_when_they_have(self, tmp_path: Path) -> None:
        found = credentials.Credentials(_config(exec_plugin=_plugin(tmp_path, "2001-01-01T00:00:00Z")))
        assert await _headers(found) == {"Authorization": "Bearer t1"}
        assert await _headers(found) == {"Authorization": "Bearer t2"}

    async def test_or_when_the_server_does_not_take_them(self, tmp_path: Path) -> None:
        found = credentials.Credentials(_config(exec_plugin=_plugin(tmp_path)))
        assert await _headers(found) == {"Authorization": "Bearer t1"}
        assert found.forget()
        assert await _headers(found) == {"Authorization": "Bearer t2"}

    async def test_failure_is_a_lack_of_credentials(self) -> None:
        plugin = kubeconfig.ExecPlugin(command="/bin/false", interactive_mode="Never")
        with pytest.raises(errors.CredentialsFailed, match="/bin/false ended with status 1"):
            await credentials.Credentials(_config(exec_plugin=plugin)).ready()


def _issue(folder: Path, name: str) -> tuple[Path, Path]:
    issued = _AUTHORITY.issue_cert("client.test", common_name=name)
    certificate, key = folder / "c.crt", folder / "c.key"
    certificate.write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())
    return certificate, key


class TestTls:
    async def test_the_context_is_made_once(self, tmp_path: Path, clock: Clock) -> None:
        certificate, key = _issue(tmp_path, "a")
        config = _config("https://h", ca_data=_AUTHORITY.cert_pem.bytes(), cert_file=certificate, key_file=key)
        found = credentials.Credentials(config)
        first = (await found.ready()).tls
        clock.now += 10
        assert first is not None
        assert (await found.ready()).tls is first

    async def test_and_again_when_a_file_changed(self, tmp_path: Path, clock: Clock) -> None:
        certificate, key = _issue(tmp_path, "a")
        found = credentials.Credentials(_config("https://h", insecure=True, cert_file=certificate, key_file=key))
        first = (await found.ready()).tls
        _issue(tmp_path, "b")
        clock.now += 2
        assert (await found.ready()).tls is not first

    async def test_half_a_pair_leaves_what_worked(self, tmp_path: Path, clock: Clock) -> None:
        certificate, key = _issue(tmp_path, "a")
        found = credentials.Credentials(_config("https://h", insecure=True, cert_file=certificate, key_file=key))
        first = (await found.ready()).tls
        other = _issue(tmp_path, "b")[1].read_bytes()
        key.write_bytes(trustme.CA().issue_cert("x.test").private_key_pem.bytes())
        clock.now += 2
        assert (await found.ready()).tls is first
        key.write_bytes(other)
        os.utime(key, ns=(1, 1))
        clock.now += 2
        assert (await found.ready()).tls is not first

    @pytest.mark.parametrize(
        ("field", "content", "problem"),
        [("ca_data", b"no PEM", "certificate authority"), ("cert_data", b"no PEM", "client certificate")],
    )
    async def test_broken_certificates(self, field: str, content: bytes, problem: str) -> None:
        config = _config("https://h", **{"key_data": b"KEY", field: content})
        with pytest.raises(errors.CredentialsFailed, match=problem):
            await credentials.Credentials(config).ready()

    async def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        config = _config("https://h", cert_file=tmp_path / "c.crt", key_file=tmp_path / "c.key")
        with pytest.raises(errors.CredentialsFailed, match=r"c\.crt cannot be read: No such file"):
            await credentials.Credentials(config).ready()

    def test_nothing_is_written_to_the_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.mkstemp", lambda: pytest.fail("a key on the disk"))
        certificate, key = _issue(tmp_path, "a")
        config = _config("https://h", cert_data=certificate.read_bytes(), key_data=key.read_bytes())
        assert credentials.tls_context(config).check_hostname

    def test_without_memory_files_the_key_is_private_and_removed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "tmp"
        folder.mkdir()
        monkeypatch.delattr(os, "memfd_create")
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        certificate, key = _issue(tmp_path, "a")
        with credentials.as_file(key.read_bytes()) as path:
            assert Path(path).stat().st_mode & 0o777 == 0o600
            assert Path(path).parent == folder
        assert list(folder.iterdir()) == []
        credentials.tls_context(_config("https://h", cert_file=certificate, key_file=key))
