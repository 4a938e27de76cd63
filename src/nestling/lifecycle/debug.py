"""``debug collect``: one archive with all that helps to find a fault, and no secret in it. ``debug shell``: a look
inside."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import platform
import tarfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from nestling.drivers import base, errors
from nestling.lifecycle import certs, command, describe, redact, session

ABOUT: Final = """\
What nestling debug collect found of one virtual cluster.

about.json    versions, time
release/      configuration, record, command lines of the processes
status/       supervisor, syncer (/status, /metrics, /readyz), certificates
logs/         the ends of the logs of its processes
virtual/      version and objects of the virtual cluster
host/         version, objects of its namespace on the host, logs of the embedded host

Masked as "(redacted)": data of Secrets, values of environment variables, whatever is called password, token or the
like, tokens, private keys and passwords in URLs, and every value of a Secret wherever it turns up again. Look through
it nevertheless before you give it to somebody. A file that ends with .error.txt says why something is not there.
"""


async def collect(current: session.Session, name: str, wanted: base.Diagnosis, output: str) -> Path:
    """Write the archive and return its path; what cannot be read is left out and named in the archive."""
    cluster = await current.find(name)
    path = _absolute(output or f"vcluster.{name}.debug.{int(time.time())}.tar.gz")
    redactor = redact.Redactor()
    count = 0
    with current.reporter.step(f"Collecting what there is to know of {name}"), _archive(path) as archive:
        async for piece in _pieces(current, cluster, wanted):
            redactor.learn(piece.content)
            _add(archive, f"{path.name.removesuffix('.tar.gz')}/{piece.path}", render(piece, redactor))
            count += 1
    current.reporter.done(f"Wrote {count} files into {path}; secrets are redacted")
    return path


async def shell(
    current: session.Session, name: str, wanted: base.Shell, *, environ: Mapping[str, str] = os.environ
) -> int:
    """Open a shell beside the control plane, and return kubectl's exit code; raises ``UserError`` without a pod."""
    cluster = await current.find(name)
    wish = await current.driver.shell(cluster, wanted, environ)
    environ = await current.driver.command_environment(wish.words[0], wish.environ, current.reporter)
    current.reporter.info(
        f"The files of the container {wanted.target} are under /proc/1/root; the container of the shell stays in the "
        f"list of the pod until that is made anew"
    )
    return await command.run_program(wish.words, command.find(wish.words[0], environ), environ)


def _absolute(name: str) -> Path:
    return Path(name).expanduser().absolute()


async def _pieces(
    current: session.Session, cluster: base.VirtualCluster, wanted: base.Diagnosis
) -> AsyncIterator[base.Piece]:
    now = datetime.datetime.now(datetime.UTC)
    yield base.Piece("README.txt", ABOUT)
    system = {"system": platform.platform(), "python": platform.python_version()}
    async for piece in current.driver.diagnose(cluster, wanted):
        yield piece
    yield base.Piece("about.json", {"time": now, **system, "nestling": cluster.version, "driver": current.driver.name})
    # After the Secrets, whose values may be in the configuration.
    yield base.Piece("status/describe.json", describe.document(cluster, await current.driver.values(cluster)))
    try:
        found = certs.read(await current.driver.certificates(cluster))
    except errors.UserError as error:
        yield base.Piece("status/certificates.error.txt", str(error))
    else:
        yield base.Piece("status/certificates.json", {"certificates": json.loads(certs.as_json(found, now=now))})


def render(piece: base.Piece, redactor: redact.Redactor) -> str:
    """The text of one file, without secrets. Pure."""
    if isinstance(piece.content, str):
        return redactor.text(piece.content)
    masked: Any = redactor.value(piece.content)
    if piece.path.endswith(".json"):
        return json.dumps(masked, indent=2, ensure_ascii=False, default=str) + "\n"
    return str(yaml.safe_dump(masked, sort_keys=False, allow_unicode=True, width=1 << 20))


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[tarfile.TarFile]:
    """An archive for its owner only, which appears under its name when it is complete."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
            yield archive
        temporary.replace(path)
    except OSError as error:
        raise errors.UserError(
            f"cannot write {path}: {error.strerror}; choose another place with --output-filename FILE"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode(errors="replace")
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
    archive.addfile(entry, io.BytesIO(content))
