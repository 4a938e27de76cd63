from __future__ import annotations

import pytest

from tests.unit.config.support import config, problem, where


@pytest.mark.parametrize(
    ("assignment", "allowed"),
    [
        ("logging.encoding=text", "write console or json"),
        ("policies.podSecurityStandard=strict", "write privileged, baseline or restricted"),
        ("controlPlane.ingress.pathType=prefix", "Prefix"),
        ("controlPlane.statefulSet.imagePullPolicy=always", "Always"),
        ("controlPlane.distro.k8s.imagePullPolicy=x", "Always"),
        ("controlPlane.backingStore.etcd.deploy.statefulSet.imagePullPolicy=x", "Always"),
        ("controlPlane.statefulSet.persistence.volumeClaim.retentionPolicy=keep", "write Retain or Delete"),
        ("controlPlane.backingStore.etcd.deploy.statefulSet.persistence.volumeClaim.retentionPolicy=x", "Retain"),
        ("controlPlane.statefulSet.scheduling.podManagementPolicy=x", "Parallel or OrderedReady"),
        ("controlPlane.backingStore.etcd.deploy.statefulSet.scheduling.podManagementPolicy=x", "Parallel"),
        ("controlPlane.advanced.podDisruptionBudget.unhealthyPodEvictionPolicy=x", "AlwaysAllow"),
        ("snapshots.auto.storage.type=ftp", "s3, oci, container or azure"),
    ],
)
def test_words_that_mean_nothing(assignment: str, allowed: str) -> None:
    found = problem("", sets=(assignment,))
    assert found.path == assignment.partition("=")[0]
    assert allowed in found.hint


@pytest.mark.parametrize("version", ["v1.34.4", "1.34", "v1.34", "1.34.4"])
def test_versions_of_kubernetes_that_are_sound(version: str) -> None:
    config(f"controlPlane: {{distro: {{k8s: {{version: '{version}'}}}}}}")


@pytest.mark.parametrize("version", ["latest", "1", "v2.0", "1.34.x", "1.34.4-k3s1"])
def test_versions_of_kubernetes_that_are_not(version: str) -> None:
    assert problem(f"controlPlane: {{distro: {{k8s: {{version: '{version}'}}}}}}").path == (
        "controlPlane.distro.k8s.version"
    )


def test_version_and_image_tag_agree() -> None:
    key = "controlPlane.distro.k8s"
    assert problem("", sets=(f"{key}.version=v1.34.4", f"{key}.image.tag=v1.33.1")).path == f"{key}.version"
    config("", f"{key}.version=1.34", f"{key}.image.tag=v1.34.4-full")
    config("", f"{key}.version=1.34", f"{key}.image.tag=latest")
    config("", f"{key}.version=1.34")


@pytest.mark.parametrize(
    ("budget", "path"),
    [
        ("{enabled: true}", ""),
        ("{enabled: true, minAvailable: 1, maxUnavailable: 1}", ""),
        ("{enabled: true, minAvailable: many}", ".minAvailable"),
        ("{enabled: true, maxUnavailable: -1}", ".maxUnavailable"),
    ],
)
def test_a_disruption_budget_has_one_number(budget: str, path: str) -> None:
    place = "controlPlane.advanced.podDisruptionBudget"
    assert where(f"controlPlane: {{advanced: {{podDisruptionBudget: {budget}}}}}") == [place + path]


@pytest.mark.parametrize("budget", ["{enabled: true, minAvailable: 1}", "{enabled: true, maxUnavailable: 50%}", "{}"])
def test_good_disruption_budgets_pass(budget: str) -> None:
    config(f"controlPlane: {{advanced: {{podDisruptionBudget: {budget}}}}}")


def test_the_volume_of_the_log_file_keeps_its_name() -> None:
    volumes = "controlPlane: {statefulSet: {persistence: {addVolumes: [{name: vcluster-logs, emptyDir: {}}]}}}"
    config(volumes)
    assert where(volumes + "\nlogging: {file: {enabled: true}}") == [
        "controlPlane.statefulSet.persistence.addVolumes[0].name"
    ]


@pytest.mark.parametrize("component", ["apiServer", "controllerManager", "scheduler"])
def test_extra_arguments_are_flags(component: str) -> None:
    text = "controlPlane: {{distro: {{k8s: {{{part}: {{extraArgs: [{args}]}}}}}}}}"
    config(text.format(part=component, args="--v=4, --feature-gates=A=true, -v, '2'"))
    assert where(text.format(part=component, args="v=4")) == [f"controlPlane.distro.k8s.{component}.extraArgs[0]"]
    found = problem(text.format(part=component, args="--a=b, --v 4"))
    assert (found.path, found.hint) == (f"controlPlane.distro.k8s.{component}.extraArgs[1]", "write --v=4")
