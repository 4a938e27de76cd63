from __future__ import annotations

import json
import os
import subprocess
import sys

CODE = """
import json, os
before = dict(os.environ)
import nestling.controlplane.syncer_process
from aiohttp import connector
print(json.dumps([connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509_ca"], dict(os.environ) == before]))
"""


def test_aiohttp_loads_no_authorities_and_the_environment_stays() -> None:
    """They are loaded when a module is imported first, and so in a process of its own; one import in the wrong order
    would load them again."""
    environ = {**os.environ, "SSL_CERT_DIR": "/somewhere"}
    environ.pop("SSL_CERT_FILE", None)
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=environ)
    assert json.loads(result.stdout) == [0, True]
