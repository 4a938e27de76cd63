"""What requests without credentials reach."""

from __future__ import annotations

import json

import pytest

from nestling.controlplane import anonymous


@pytest.mark.parametrize(("minor", "version"), [(32, "v1beta1"), (33, "v1beta1"), (34, "v1"), (36, "v1")])
def test_anonymous_requests_reach_the_health_paths_only(minor: int, version: str) -> None:
    file = json.loads(anonymous.authentication_file(minor))
    assert file["apiVersion"] == f"apiserver.config.k8s.io/{version}"
    conditions = [{"path": path} for path in ("/livez", "/readyz", "/healthz")]
    assert file["anonymous"] == {"enabled": True, "conditions": conditions}
