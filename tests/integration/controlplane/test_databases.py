"""kine on real database servers: started by the test in a folder of its own, where they are installed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from nestling.binaries import chain
from nestling.naming.tenant import Tenant
from tests.integration.controlplane import virtual as virtual_module
from tests.support import envtest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

#: Debian keeps the servers of PostgreSQL out of the PATH.
PLACES = [os.environ["PATH"], "/usr/sbin", *(str(one) for one in sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
PASSWORD = "of-the-test"
#: Who runs the servers when the tests are root's, which PostgreSQL refuses to be.
NOBODY = "nobody"


def program(name: str, package: str) -> str:
    """Where a program of a server is; skips when it is not installed."""
    found = shutil.which(name, path=":".join(PLACES))
    if found is None:
        pytest.skip(f"no {name} here; it comes with the Debian package {package}")
    return found


def run(command: Sequence[str], folder: Path, **variables: str) -> None:
    """A step of setting a server up."""
    done = subprocess.run(
        command, user=user(), cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def user() -> str | None:
    """Who runs servers."""
    return NOBODY if os.geteuid() == 0 else None


@contextlib.contextmanager
def serving(command: Sequence[str], folder: Path, port: int) -> Iterator[None]:
    """A server that listens."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, user=user(), cwd=folder, stdout=log, stderr=log)
    try:
        explain = (folder / "server.log").read_text
        virtual_module.until(lambda: process.poll() is not None or listens(port), "listening server", explain=explain)
        assert process.poll() is None, explain()
        yield
    finally:
        # SIGINT ends PostgreSQL at once, SIGTERM only when all have left; MariaDB takes no notice of SIGINT
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def listens(port: int) -> bool:
    """Whether somebody does."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """PostgreSQL; its address for kine, which makes the database."""
    server, init = program("postgres", "postgresql"), program("initdb", "postgresql")
    data, secret, port = folder / "data", folder / "secret", envtest.free_port()
    secret.write_text(PASSWORD)
    if os.geteuid() == 0:
        os.chown(secret, pwd.getpwnam(NOBODY).pw_uid, -1)
    run([init, "-D", str(data), "-U", "kine", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"], folder)
    command = [server, "-D", str(data), "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    with serving(command, folder, port):
        yield f"postgres://kine:{PASSWORD}@127.0.0.1:{port}/kine?sslmode=disable"


@contextlib.contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """MariaDB, which speaks MySQL's protocol."""
    server, init = program("mariadbd", "mariadb-server"), program("mariadb-install-db", "mariadb-server")
    data, first, port = folder / "data", folder / "first.sql", envtest.free_port()
    first.write_text(f"CREATE USER 'kine'@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO 'kine'@'%';\n")
    run(
        [init, "--no-defaults", f"--datadir={data}", "--skip-test-db", "--auth-root-authentication-method=normal"],
        folder,
    )
    command = [server, "--no-defaults", f"--datadir={data}", f"--port={port}", f"--socket={folder / 'socket'}"]
    command += [f"--init-file={first}", "--skip-name-resolve", f"--pid-file={folder / 'pid'}", "--skip-log-bin"]
    with serving(command, folder, port):
        yield f"mysql://kine:{PASSWORD}@tcp(127.0.0.1:{port})/kine"


@pytest.mark.parametrize("database", [postgres, mariadb])
def test_the_store_is_in_a_database_server_and_outlives_the_control_plane(
    database: Callable[[Path], contextlib.AbstractContextManager[str]], tmp_path: Path
) -> None:
    provider = chain.Chain()
    if any(provider.find(one) is None for one in provider.binaries(["kine"])):
        pytest.skip("no kine here; run: nestling binaries fetch kine, which needs a C compiler")
    with room() as folder, database(folder) as source, envtest.running(tmp_path / "host") as host:
        store = {"database": {"external": {"enabled": True, "dataSource": source}}}
        values = json.dumps({"controlPlane": {"backingStore": store}})
        with virtual_module.virtual_cluster(host, tmp_path / "vc", Tenant("my-vc", "team-x"), values) as virtual:
            asyncio.run(virtual.install())
            virtual.start()
            assert "etcd" not in virtual.components()
            virtual.kubectl("create", "configmap", "mine", "--from-literal=a=b", virtual=True)
            assert virtual.stop() == 0
            virtual.start()
            assert virtual.get("configmap", "mine", virtual=True)["data"] == {"a": "b"}
            assert PASSWORD not in virtual.logs()
            assert not any(PASSWORD.encode() in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in virtual.pids())


@contextlib.contextmanager
def room() -> Iterator[Path]:
    """A folder that the servers' user reaches; those of pytest are for its own user alone."""
    with tempfile.TemporaryDirectory(prefix="nestling-database-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(NOBODY).pw_uid, -1)
        yield folder
