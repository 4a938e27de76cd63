"""Download with checksum: the official sites, or a mirror of them.

A file that does not match its checksum, or ends early, is an error of this provider; it is never handed on. A host
that cannot be reached is asked once per run: a machine without internet must not wait for every file.
"""

from __future__ import annotations

import hashlib
import http.client
import pathlib
import queue
import shutil
import ssl
import tarfile
import threading
import urllib.error
import urllib.parse
import urllib.request

from nestling.binaries import catalogue, checksums, errors, progress
from nestling.binaries import settings as settings_

_CHUNK = 1 << 18
_STALL_SECONDS = 30.0
_SMALL = 1 << 20


class Downloader:
    """Downloads binaries; in ``dead`` it remembers which hosts do not answer, and why."""

    def __init__(
        self, settings: settings_.Settings, report: progress.Progress, *, dead: dict[str, str] | None = None
    ) -> None:
        self._settings = settings
        self._report = report
        self._dead: dict[str, str] = {} if dead is None else dead

    def fetch(self, binary: catalogue.Binary, workspace: pathlib.Path) -> tuple[pathlib.Path, str]:
        """Return the verified binary inside the workspace, and the address it came from.

        Raises ProviderError when the site cannot be reached, has no such file, or its file fails the check.
        """
        if self._settings.offline:
            raise errors.ProviderError("switched off by NESTLING_OFFLINE")
        official = fill(binary.download.url, binary, self._settings.architecture)
        url = self._mirrored(official)
        if dead := self._dead.get(_host(url)):
            raise errors.ProviderError(dead)
        reporter = progress.Reporter(self._report, f"downloading {binary} from {_host(url)}")
        file = workspace / official.rpartition("/")[2]
        try:
            self._to_file(url, file, expected=self._expected(binary, official), reporter=reporter)
            received = file.stat().st_size
            if binary.download.member:
                file = _extract(file, fill(binary.download.member, binary, self._settings.architecture), workspace)
        except errors.ProviderError as error:
            reporter.failed(str(error))
            raise
        reporter.done(received=received, note="SHA-256 verified")
        return file, url

    def _expected(self, binary: catalogue.Binary, official: str) -> str:
        pinned = checksums.PINNED.get(official)
        if pinned is not None:
            return pinned
        if not binary.download.checksums:
            raise errors.ProviderError(f"no checksum of {official} is known, and the project publishes none")
        url = self._mirrored(fill(binary.download.checksums, binary, self._settings.architecture))
        with self._open(url) as response:
            text = _read(response, url, _SMALL)
        found = checksums.published(text.decode(errors="replace"), official.rpartition("/")[2])
        if found is None:
            raise errors.ProviderError(f"{url} does not hold a SHA-256 of {official.rpartition('/')[2]}")
        return found

    def _mirrored(self, official: str) -> str:
        return f"{self._settings.mirror}/{official.removeprefix('https://')}" if self._settings.mirror else official

    def _to_file(self, url: str, file: pathlib.Path, *, expected: str, reporter: progress.Reporter) -> None:
        """Write the answer to the file; raises ProviderError unless it is whole and what was expected."""
        digest, received = hashlib.sha256(), 0
        with self._open(url) as response, file.open("wb") as output:
            total = int(response.headers.get("Content-Length") or 0)
            while chunk := _read(response, url, _CHUNK):
                digest.update(chunk)
                output.write(chunk)
                received += len(chunk)
                reporter.running(received=received, total=total)
        if total and received != total:
            raise errors.ProviderError(f"{url} ended after {received} of {total} bytes")
        if digest.hexdigest() != expected:
            raise errors.ProviderError(
                f"{url} has SHA-256 {digest.hexdigest()}, expected {expected}; the file was thrown away"
            )

    def _open(self, url: str) -> http.client.HTTPResponse:
        """Return the answer once its headers are here; a host that does not get that far is remembered."""
        host = _host(url)
        if host in self._dead:
            raise errors.ProviderError(self._dead[host])
        answer = _open_within(url, self._settings.connect_seconds)
        if isinstance(answer, urllib.error.HTTPError):
            answer.close()
            raise errors.ProviderError(f"{url} answers {answer.code} {answer.reason}")
        if isinstance(answer, Exception):
            self._dead[host] = f"cannot reach {host}: {_reason(answer)}"
            raise errors.ProviderError(self._dead[host]) from answer
        if url.startswith("https://") and not answer.geturl().startswith("https://"):
            answer.close()
            raise errors.ProviderError(f"{url} sends on to an unencrypted address; refused")
        return answer


def fill(template: str, binary: catalogue.Binary, architecture: str) -> str:
    """Return an address or path of the catalogue with version and architecture filled in."""
    return template.format(version=binary.version, number=binary.version.removeprefix("v"), arch=architecture)


def _open_within(url: str, seconds: float) -> http.client.HTTPResponse | Exception:
    """Return the answer, or what went wrong.

    The request runs in a thread of its own, because the name look-up of a machine without network can take far
    longer than any socket timeout; the thread that is given up ends by itself and holds nothing.
    """
    answers: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()
    given_up = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(url, headers={"User-Agent": "nestling"})  # noqa: S310 - http(s) only, see below
        answer: http.client.HTTPResponse | Exception
        try:
            answer = urllib.request.urlopen(request, timeout=_STALL_SECONDS)  # noqa: S310 - Settings lets http(s) pass only
        except (OSError, http.client.HTTPException, ssl.SSLError, ValueError) as error:
            answer = error
        answers.put(answer)
        if given_up.is_set():
            _close(answer)

    threading.Thread(target=ask, name=f"open {_host(url)}", daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        given_up.set()
        return TimeoutError(f"no answer within {seconds:.0f} s")


def _close(answer: http.client.HTTPResponse | Exception) -> None:
    if isinstance(answer, http.client.HTTPResponse | urllib.error.HTTPError):
        answer.close()


def _reason(error: Exception) -> str:
    """Return the cause of an error that urllib wrapped, without the error number that nobody needs."""
    cause = getattr(error, "reason", None) or error
    return getattr(cause, "strerror", None) or str(cause)


def _read(response: http.client.HTTPResponse, url: str, size: int) -> bytes:
    try:
        return response.read(size)
    except (OSError, http.client.HTTPException) as error:
        raise errors.ProviderError(f"{url} broke off: {error!r}") from error


def _extract(archive: pathlib.Path, member: str, workspace: pathlib.Path) -> pathlib.Path:
    """Take one file out of the archive; nothing else of it reaches the disk."""
    target = workspace / "extracted"
    try:
        with tarfile.open(archive, "r:gz") as opened, target.open("wb") as output:
            source = opened.extractfile(member)
            if source is None:
                raise errors.ProviderError(f"{member} in {archive.name} is not a file")
            shutil.copyfileobj(source, output, _CHUNK)
    except (KeyError, tarfile.TarError, EOFError, OSError) as error:
        raise errors.ProviderError(f"{archive.name}: {error}") from error
    return target


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc
