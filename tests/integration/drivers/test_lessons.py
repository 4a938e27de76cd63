"""What users of vCluster suffered from, at the chart that the driver helm installs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from nestling.binaries import chain
from nestling.drivers import base
from nestling.drivers.helm import charts

pytestmark = pytest.mark.integration

ISOLATED = """\
policies: {networkPolicy: {enabled: true}}
controlPlane: {ingress: {enabled: true, host: vc.example.org}}
"""


def test_28_isolation_and_an_ingress_leave_the_api_open(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(ISOLATED)
    command = [str(chain.ensure(["helm"])["helm"]), "template", "my-vc", *charts.arguments(base.Chart())]
    done = subprocess.run([*command, "-f", str(values)], capture_output=True, text=True, check=True)
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    policies = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "NetworkPolicy"}
    anywhere = [rule for rule in policies["vc-cp-my-vc"]["ingress"] if not rule.get("from")]
    assert [port["port"] for rule in anywhere for port in rule["ports"]] == [8443]
    (ingress,) = [one for one in objects if one["kind"] == "Ingress"]
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "my-vc", "port": {"name": "https"}}
