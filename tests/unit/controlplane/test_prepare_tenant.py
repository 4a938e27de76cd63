"""What only the name and the namespace of a virtual cluster make wrong is refused before the host is asked."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from nestling.config import load
from nestling.controlplane import prepare
from tests.unit.controlplane import test_prepare


def test_a_mapping_that_covers_the_namespace_of_the_control_plane_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The feature itself may not be there yet, and would be refused before.
    monkeypatch.setattr(load, "load", functools.partial(load.load, refuse_unsupported=False))
    monkeypatch.setattr(prepare, "_ask_host", None)
    namespaces = {"enabled": True, "mappings": {"byName": {"x-*": "team-*"}}}
    text = json.dumps({"sync": {"toHost": {"namespaces": namespaces}}})
    wish = test_prepare.start(tmp_path, text, namespace="team-x")
    assert "covers the namespace of the control plane" in test_prepare.refusal(wish)
