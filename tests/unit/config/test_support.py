from __future__ import annotations

import pytest

from nestling.config import errors, fields, load, model, support
from tests.unit.config.support import config, problem, problems


def refused(text: str) -> list[str]:
    return [found.path for found in problems(text, refuse_unsupported=True)]


@pytest.mark.parametrize("row", support.ROWS, ids=lambda row: ".".join(row.prefix))
def test_rows_name_keys_that_exist(row: support.Row) -> None:
    known = [path for path, _ in fields.walk(model.VClusterConfig)]
    assert any(
        len(path) == len(row.prefix) and all(want in ("*", part) for want, part in zip(row.prefix, path, strict=True))
        for path in known
    )


def test_no_feature_has_two_rows() -> None:
    prefixes = [row.prefix for row in support.ROWS]
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize(
    "row", [row for row in support.ROWS if row.status in (support.Status.LATER, support.Status.NEVER)], ids=str
)
def test_refusals_say_what_to_do(row: support.Row) -> None:
    assert row.hint


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sync: {toHost: {gatewayApi: {enabled: true}}}", "sync.toHost.gatewayApi.enabled"),
        ("sync: {toHost: {pods: {patches: [{path: a, expression: b}]}}}", "sync.toHost.pods.patches"),
        ("integrations: {istio: {enabled: true}}", "integrations.istio.enabled"),
        (
            "controlPlane: {backingStore: {database: {external: {enabled: true, connector: mine}}}}",
            "controlPlane.backingStore.database.external.connector",
        ),
        ("sleep: {auto: {afterInactivity: 1h}}", "sleep.auto.afterInactivity"),
        ("plugins: {mine: {image: x}}", "plugins"),
        ("deletion: {prevent: true}", "deletion.prevent"),
        ("policies: {centralAdmission: {validatingWebhooks: [{}]}}", "policies.centralAdmission.validatingWebhooks"),
        ("sync: {fromHost: {deviceClasses: {enabled: true}}}", "sync.fromHost.deviceClasses.enabled"),
        ("sync: {fromHost: {nodes: {enabled: true, syncBackChanges: true}}}", "sync.fromHost.nodes.syncBackChanges"),
    ],
)
def test_what_does_not_exist_yet_is_refused_by_name(text: str, path: str) -> None:
    found = problem(text, refuse_unsupported=True)
    assert found.path == path
    assert found.message in ("is not available yet", "is not supported")
    config(text)


@pytest.mark.parametrize(
    "text",
    [
        "sync: {toHost: {ingresses: {enabled: false}}}",
        "sync: {fromHost: {csiDrivers: {enabled: false}, nodes: {enabled: false, selector: {all: true}}}}",
        "integrations: {certManager: {enabled: false, sync: {toHost: {issuers: {enabled: false}}}}}",
        "sync: {toHost: {pods: {patches: []}}}",
        "deploy: {kubeProxy: {enabled: false}}",
        "privateNodes: {enabled: false, autoUpgrade: {concurrency: 5}}",
        "plugins: {}",
        "sleep: {}",
        "experimental: {deploy: {vcluster: {manifests: ''}}}",
    ],
)
def test_what_asks_for_nothing_is_accepted(text: str) -> None:
    load.load([load.Source("a", text)])


@pytest.mark.parametrize(
    "text",
    [
        "sync: {toHost: {pods: {translateImage: {a: b}, enforceTolerations: [x], rewriteHosts: {enabled: false}}}}",
        "sync: {toHost: {secrets: {all: true}, configMaps: {all: true}}, fromHost: {storageClasses: {enabled: true}}}",
        "controlPlane: {distro: {k8s: {version: '1.34', image: {tag: v1.34.4}, apiServer: {extraArgs: [--v=2]}}}}",
        "controlPlane: {backingStore: {etcd: {embedded: {enabled: true, snapshotCount: 5}}}}",
        "controlPlane: {backingStore: {etcd: {deploy: {enabled: true}}}}",
        "controlPlane: {proxy: {extraSANs: [a.example]}, advanced: {workloadServiceAccount: {name: x}}}",
        "serviceCIDR: 10.96.0.0/12\nlogging: {encoding: json}\npro: true\ntelemetry: {enabled: false}\nglobal: {a: b}",
        "exportKubeConfig: {context: a, server: 'https://a', additionalSecrets: [{name: x}]}",
        "networking: {advanced: {clusterDomain: my.domain}}\nexperimental: {syncSettings: {setOwner: false}}",
        "policies: {resourceQuota: {enabled: true}, limitRange: {enabled: true}, networkPolicy: {enabled: true}}",
        "controlPlane: {statefulSet: {resources: {limits: {memory: 1Gi}}}, ingress: {enabled: true, host: a.b}}",
        "policies: {podSecurityStandard: baseline}",
        "sync: {fromHost: {nodes: {enabled: true}}}\ncontrolPlane: {distro: {k8s: {scheduler: {enabled: true}}}}",
        "sync: {fromHost: {secrets: {enabled: true, mappings: {byName: {a/*: b/*, '': c}}}}}",
    ],
)
def test_what_exists_is_accepted(text: str) -> None:
    load.load([load.Source("a", text)])


def test_one_refusal_per_feature() -> None:
    text = "sync: {fromHost: {deviceClasses: {enabled: true, selector: {matchLabels: {a: b}}}}}"
    assert refused(text) == ["sync.fromHost.deviceClasses.enabled"]


def test_features_below_one_row_are_named_one_by_one() -> None:
    text = "integrations: {certManager: {enabled: true}, istio: {enabled: true}}"
    assert refused(text) == ["integrations.certManager.enabled", "integrations.istio.enabled"]


def test_keys_of_the_chart_are_told_apart() -> None:
    found = config(
        "controlPlane: {statefulSet: {labels: {a: b}}, ingress: {enabled: true, host: a.b}, proxy: {port: 9}}"
    )
    assert support.helm_only(found) == ["controlPlane.statefulSet", "controlPlane.ingress"]
    assert support.helm_only(config("policies: {resourceQuota: {enabled: true}}")) == ["policies.resourceQuota"]


def test_the_longest_row_counts() -> None:
    row = support.find(("policies", "podSecurityStandard"))
    assert row is not None
    assert row.status is support.Status.WORKS
    wider = support.find(("policies", "resourceQuota"))
    assert wider is not None
    assert wider.status is support.Status.HELM
    assert support.find(("exportKubeConfig", "context")) is None


def test_errors_name_the_place() -> None:
    found = problem("sync:\n  toHost:\n    gatewayApi:\n      enabled: true\n", refuse_unsupported=True)
    assert (found.source, found.line) == ("1.yaml", 4)
    assert isinstance(found, errors.Problem)
