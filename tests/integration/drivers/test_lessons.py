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
controlPlane: {ingress: {enabled: true, host: vc.example.org}, proxy: {port: PORT}}
"""


@pytest.mark.parametrize("port", [8443, 9443])
def test_28_isolation_and_an_ingress_leave_the_api_open(tmp_path: Path, port: int) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(ISOLATED.replace("PORT", str(port)))
    command = [str(chain.ensure(["helm"])["helm"]), "template", "my-vc", *charts.arguments(base.Chart())]
    done = subprocess.run([*command, "-f", str(values)], capture_output=True, text=True, check=True)
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    policies = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "NetworkPolicy"}
    anywhere = [rule for rule in policies["vc-cp-my-vc"]["ingress"] if not rule.get("from")]
    assert [one["port"] for rule in anywhere for one in rule["ports"]] == [port]
    services = [one for one in objects if one["kind"] == "Service" and "https" in str(one["spec"]["ports"])]
    targets = [one["targetPort"] for found in services for one in found["spec"]["ports"] if one["name"] == "https"]
    assert targets == [port] * 2
    (ingress,) = [one for one in objects if one["kind"] == "Ingress"]
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "my-vc", "port": {"name": "https"}}
