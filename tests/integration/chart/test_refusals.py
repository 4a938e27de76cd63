"""What the chart refuses because it does not exist: the same keys, in the same words, as the control plane."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nestling.binaries import chain
from nestling.config import errors, fields, legacy, load, merge, model, support

pytestmark = pytest.mark.integration
CHART = Path(__file__).parents[3] / "chart"
#: Before and after the problems in what helm says.
BEFORE, AFTER = "the values cannot be used:\n", "\n\nUse --debug"
#: A value of each kind.
SAMPLES: dict[fields.Kind, Any] = {
    fields.Kind.STR: "something",
    fields.Kind.STRBOOL: "true",
    fields.Kind.ANY: {"some": "thing"},
    fields.Kind.INT: 7,
    fields.Kind.BOOL: True,
}
REFUSED = [row for row in support.ROWS if row.status in support.REFUSED]
SILENT = {
    "sections that are off": "privateNodes: {enabled: false, autoUpgrade: {concurrency: 5}}\n"
    "integrations: {certManager: {enabled: false, sync: {toHost: {certificates: {enabled: true}}}}}",
    "an inner section that is off": "integrations: {istio: {enabled: false}, certManager: {enabled: false}}\n"
    "sync: {toHost: {pods: {hybridScheduling: {enabled: false, hostSchedulers: [x]}}}}",
    "values that are empty": "plugins: {}\nsleep: {}\nsync: {toHost: {pods: {patches: []}}}\n"
    "experimental: {deploy: {vcluster: {manifests: ''}}}\nplatform: {}",
    "the defaults": "sync: {toHost: {gatewayApi: {enabled: false}}, fromHost: {nodes: {syncBackChanges: false}}}",
    "what exists": "policies: {podSecurityStandard: baseline}\nintegrations: {metricsServer: {enabled: true}}\n"
    "controlPlane: {ingress: {enabled: true}, backingStore: {etcd: {deploy: {enabled: true}}}}",
}
SWITCHES = [
    "sync: {toHost: {customResources: {things.x.example: {enabled: true}}}}",
    "sync: {toHost: {ingresses: {patches: [{path: a}]}, services: {patches: [{path: a}]}}}",
    "sync: {toHost: {ingresses: {enabled: true, patches: [{path: a}]}}}",
    "sync: {fromHost: {csiNodes: {enabled: auto, patches: [{path: a}]}}}",
    "privateNodes: {enabled: true, autoUpgrade: {concurrency: 5}}",
    "privateNodes: {autoUpgrade: {concurrency: 5}}",
    "sync: {toHost: {volumeSnapshots: {enabled: false}}}\nrbac: {enableVolumeSnapshotRules: {}}",
    "integrations: {istio: {enabled: true}, certManager: {enabled: true}}\nsleep: {auto: {afterInactivity: 1h}}",
]


@pytest.fixture(scope="session")
def helm() -> Path:
    return chain.ensure(["helm"])["helm"]


def said_by_helm(helm: Path, values: str) -> list[str]:
    command = [str(helm), "template", "my-vc", str(CHART), "-f", "-"]
    done = subprocess.run(command, input=values, capture_output=True, text=True, check=False, timeout=60)
    if not done.returncode:
        return []
    assert BEFORE in done.stderr, done.stderr
    return done.stderr.partition(BEFORE)[2].partition(AFTER)[0].replace("\n    ", " / ").split("\n")


def said_by_the_control_plane(values: str) -> list[str]:
    """In the order in which the chart writes values into the configuration that a pod reads."""
    try:
        load.load([load.Source("config.yaml", yaml.safe_dump(yaml.safe_load(values), sort_keys=True))])
    except errors.ConfigError as error:
        words = [legacy.OLD, *(status.value for status in support.REFUSED)]
        return [f"{one.path}: {one.message} / {one.hint}" for one in error.problems if one.message in words]
    return []


@functools.cache
def keys() -> dict[support.Row, list[tuple[errors.Path, fields.Field]]]:
    """The keys with a value that each row is about."""
    found: dict[support.Row, list[tuple[errors.Path, fields.Field]]] = {}
    for path, field in fields.walk(model.VClusterConfig):
        row = support.find(path)
        if row and field.kind is not fields.Kind.SECTION and not {"[]", "<name>"} & {*path}:
            found.setdefault(row, []).append((path, field))
    return found


def wishes(row: support.Row) -> Iterator[dict[str, Any]]:
    """For each key that a row refuses, values in which it asks for something and all sections around it are on."""
    for path, field in keys()[row]:
        inner = SAMPLES[field.item] if field.item else {}
        lists = {fields.Kind.LIST: [inner], fields.Kind.MAP: {"some": inner}}
        yield nested(path, not field.default if field.kind is fields.Kind.BOOL else (SAMPLES | lists)[field.kind])


def nested(path: errors.Path, wish: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    inner = values
    for length, key in enumerate(path[:-1], 1):
        inner = inner.setdefault(str(key), {})
        if fields.find(model.VClusterConfig, (*path[:length], "enabled")):
            inner["enabled"] = True
    inner[str(path[-1])] = wish
    return values


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: ".".join(row.prefix))
def test_52_each_row_is_refused_by_the_chart_as_by_the_control_plane(helm: Path, row: support.Row) -> None:
    values: dict[str, Any] = {}
    for one in wishes(row):
        values = merge.overlay(values, one)
    text = yaml.safe_dump(values)
    said = said_by_helm(helm, text)
    assert said == said_by_the_control_plane(text)
    assert any(one.endswith(f"{row.status.value} / {row.hint}") for one in said)


def test_52_all_problems_are_said_at_once(helm: Path) -> None:
    values: dict[str, Any] = {}
    for one in (one for row in REFUSED for one in wishes(row)):
        values = merge.overlay(values, one)
    text = yaml.safe_dump(values)
    *said, stores = said_by_helm(helm, text)
    assert stores.startswith("only one backing store can be used")
    assert said == said_by_the_control_plane(text)
    assert len(said) > len(REFUSED)


@pytest.mark.parametrize("values", SILENT.values(), ids=SILENT)
def test_52_what_asks_for_nothing_is_rendered(helm: Path, values: str) -> None:
    assert said_by_helm(helm, values) == said_by_the_control_plane(values) == []


@pytest.mark.parametrize("values", SWITCHES)
def test_52_switches_count_in_the_chart_as_in_the_control_plane(helm: Path, values: str) -> None:
    assert said_by_helm(helm, values) == said_by_the_control_plane(values)


def test_52_a_key_of_an_older_release_that_the_schema_knows_is_refused_whatever_it_says(helm: Path) -> None:
    hint = "is a key of an older release / remove it: VolumeSnapshots are no longer synced"
    said = said_by_helm(helm, "sync: {toHost: {volumeSnapshots: {enabled: false}}}")
    assert said == [f"sync.toHost.volumeSnapshots: {hint}"]


def test_52_a_value_from_the_command_line_is_refused_too(helm: Path) -> None:
    command = [str(helm), "template", "my-vc", str(CHART), "--set", "privateNodes.enabled=true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "privateNodes.enabled: is not available yet\n" in done.stderr


def test_52_refusals_and_contradictions_are_said_together(helm: Path) -> None:
    twice = "exportKubeConfig: {secret: {name: a}, additionalSecrets: [{name: b}]}\n"
    values = twice + "sync: {toHost: {namespaces: {enabled: true}}}"
    first, second = said_by_helm(helm, values)
    assert first.startswith("sync.toHost.namespaces.enabled: is not available yet")
    assert second.startswith("exportKubeConfig.secret and")
