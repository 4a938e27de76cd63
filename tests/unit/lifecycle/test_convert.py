"""Values of older charts become today's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nestling.config import legacy, load, yaml_text
from nestling.lifecycle import convert

ROOT = Path(__file__).parents[3]
#: The values of seed 004, as its page has them for a host with Kubernetes 1.16.
SEED_004 = """
virtualCluster:
  image: rancher/k3s:v1.16.13-k3s1
  extraArgs:
    - --service-cidr=10.96.0.0/12
  baseArgs:
    - server
    - --no-deploy=traefik,servicelb,metrics-server,local-storage
    - --disable-agent
storage:
  size: 5Gi
syncer:
  extraArgs: ["--disable-sync-resources=ingresses"]
"""


def converted(text: str) -> convert.Conversion:
    done = convert.convert(yaml.safe_load(text) or {})
    load.load([load.Source("converted", yaml_text.write(done.values))], refuse_unsupported=False)
    return done


def left(done: convert.Conversion) -> list[str]:
    return [".".join(map(str, one.path)) for one in done.left]


def test_seed_004_becomes_the_example_of_this_repository() -> None:
    done = converted(SEED_004)
    assert done.values == yaml.safe_load((ROOT / "examples" / "seed-004.yaml").read_text())
    assert left(done) == ["virtualCluster.image", "virtualCluster.baseArgs"]
    assert "Kubernetes 1.16, which is not offered" in done.left[0].message


def test_the_first_chart_synced_ingresses_unless_it_was_told_not_to() -> None:
    values = converted(SEED_004.partition("syncer:")[0]).values
    assert values["sync"] == {"toHost": {"ingresses": {"enabled": True}}}


OLD = """
vcluster:
  image: rancher/k3s:v1.34.1-k3s1
  extraArgs: [--kube-apiserver-arg=audit-log-path=-, --kube-apiserver-arg=v=4, --flannel-backend=none]
syncer:
  extraArgs: [--tls-san=a.example.org, --tls-san=b.example.org, --out-kube-config-server=https://a.example.org,
    "--sync=networkpolicies,-ingresses", --fake-kubelets=false]
  storage: {size: 8Gi}
sync:
  ingresses: {enabled: true}
  nodes: {enabled: true, syncAllNodes: true}
  secrets: {all: true}
isolation:
  enabled: true
  podSecurityStandard: baseline
  resourceQuota: {enabled: true, quota: {pods: 5}}
mapServices:
  fromHost: [{from: a/b, to: c/d}]
exportKubeConfig: {context: mine}
license: x
"""


def test_values_of_the_charts_before_0_20() -> None:
    done = converted(OLD)
    control_plane = done.values["controlPlane"]
    assert control_plane["distro"]["k8s"] == {
        "version": "1.34",
        "apiServer": {"extraArgs": ["--audit-log-path=-", "--v=4"]},
    }
    assert control_plane["proxy"]["extraSANs"] == ["a.example.org", "b.example.org"]
    assert control_plane["statefulSet"]["persistence"]["volumeClaim"] == {"size": "8Gi"}
    assert done.values["exportKubeConfig"] == {"server": "https://a.example.org", "context": "mine"}
    assert done.values["sync"]["toHost"] == {
        "ingresses": {"enabled": False},
        "secrets": {"all": True},
        "networkPolicies": {"enabled": True},
    }
    assert done.values["sync"]["fromHost"]["nodes"] == {"enabled": True, "selector": {"all": True}}
    assert done.values["policies"]["resourceQuota"] == {"enabled": True, "quota": {"pods": 5}}
    assert done.values["networking"] == {"replicateServices": {"fromHost": [{"from": "a/b", "to": "c/d"}]}}
    assert left(done) == ["vcluster.extraArgs.2", "syncer.extraArgs.4", "isolation.enabled", "license"]


def test_values_of_today_stay_as_they_are() -> None:
    for example in sorted((ROOT / "examples").glob("seed-*.yaml")):
        values = yaml.safe_load(example.read_text()) or {}
        done = converted(example.read_text())
        assert (done.values, done.left) == (values, []), example.name


def test_nothing_gets_lost() -> None:
    """Each key of the tables is carried over, or named."""
    for path in legacy.REPLACED:
        old: Any = "x"
        for part in reversed(path):
            old = {part: old}
        done = convert.convert(old)
        assert done.values or done.left, path


@pytest.mark.parametrize("target", sorted({*convert.MOVES.values(), *convert.SYNCER_FLAGS.values()}))
def test_each_target_is_a_key_of_today(target: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    # What is below a spec is the host's affair.
    key = re.sub(r"\.spec\..*", ".spec", target.removesuffix("[]"))
    assert f"`{key}`" in page
