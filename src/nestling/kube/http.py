"""aiohttp, imported without the certificate authorities of the machine.

On import aiohttp makes a TLS context with all of them, which costs a tenth of a second and some memory in every
process. We bring a context of our own for every TLS connection, so that one is never used; without authorities it
would refuse every server.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def _no_authorities() -> Iterator[None]:
    """OpenSSL looks for authorities where these variables say."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


with _no_authorities():
    import aiohttp

__all__ = ["aiohttp"]
