"""Soft ceilings as a real kube-apiserver takes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nestling.controlplane import components, memory
from nestling.kube import client, kubeconfig, requests
from tests.support import envtest

pytestmark = pytest.mark.integration
LIMIT = 2**30


async def test_9_the_go_runtime_takes_the_ceiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ceiling = memory.ceilings(LIMIT, [components.API_SERVER])[components.API_SERVER]
    monkeypatch.setenv(components.CEILING, ceiling)
    with envtest.running(tmp_path) as running:
        async with client.Client(kubeconfig.load([running.kubeconfig])) as api:
            text = (await api.send(requests.Request("GET", "/metrics", {}, {"Accept": "text/plain"}))).decode()
    found = re.search(r"^go_gc_gomemlimit_bytes (\S+)$", text, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == int(ceiling.removesuffix("MiB")) * 2**20
