from __future__ import annotations

import pydantic
import pytest

from nestling.config import defaults, errors, load, yaml_text
from tests.unit.config.support import config, problem, problems


def test_problems_name_the_file_and_the_line_of_the_key() -> None:
    found = problems("sync:\n  toHost:\n    pods:\n      enabled: 5\n", "\n\nnope: 1\n")
    assert [(one.source, one.line) for one in found] == [("1.yaml", 4), ("2.yaml", 3)]


def test_a_key_in_two_files_is_that_of_the_later_one() -> None:
    assert problem("controlPlane: {proxy: {port: 1}}", "\ncontrolPlane: {proxy: {port: x}}").source == "2.yaml"


def test_a_key_that_is_missing_is_named_where_its_mapping_is() -> None:
    found = problem("controlPlane:\n  backingStore:\n    etcd:\n      external:\n        enabled: true\n")
    assert (found.path, found.line) == ("controlPlane.backingStore.etcd.external.endpoint", 4)


def test_problems_of_set_are_named_so() -> None:
    found = problem("sync: {}", sets=("controlPlane.proxy.port=x",))
    assert (found.source, found.line) == ("--set", None)
    assert problem("", sets=("controlPlane.proxy",)).message.startswith("'controlPlane.proxy' has no value")


def test_a_mapping_that_a_file_opened_stays_that_of_the_file() -> None:
    found = problem("\nsync: 5", sets=("controlPlane.proxy.port=5",))
    assert (found.source, found.line) == ("1.yaml", 2)


def test_a_set_goes_through_what_a_file_says() -> None:
    assert problem("\nsync: [a]", sets=("controlPlane.proxy.port=5",)).line == 2


def test_problems_of_several_files_come_at_once_each_once() -> None:
    found = problems("a: 1\nb: {", "c: 1", sets=("d=1", "e"))
    assert [(one.source, one.path) for one in found] == [("--set", ""), ("--set", "d"), ("1.yaml", ""), ("2.yaml", "c")]


def test_the_message_of_the_error_holds_everything() -> None:
    with pytest.raises(errors.ConfigError) as caught:
        load.load([load.Source("my.yaml", "sync:\n  toHst: {}\n")])
    assert str(caught.value) == (
        "my.yaml:2: sync.toHst: is not a key of vcluster.yaml\n"
        "    did you mean sync.toHost? allowed here: toHost, fromHost"
    )


def test_a_configuration_does_not_change() -> None:
    found = config()
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        found.control_plane.proxy.port = 5  # type: ignore[misc]  # that is what must not work


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sync: {toHost: {secrets: {all: true}}}",
        "controlPlane: {statefulSet: {resources: {limits: null}, labels: {a: 'yes'}}}",
        "controlPlane: {distro: {k8s: {version: '1.30'}}, proxy: {extraSANs: [y.example]}}",
        "exportKubeConfig: {additionalSecrets: [{name: a, insecure: true}]}\nserviceCIDR: 10.0.0.0/16",
    ],
)
def test_what_is_dumped_loads_to_the_same(text: str) -> None:
    first = config(text)
    again = config(load.dump(first))
    assert again == first
    assert load.dump(again) == load.dump(first)


def test_all_values_load_to_the_same() -> None:
    first = config("controlPlane: {statefulSet: {resources: {limits: {memory: 1Gi}}}}\nsleep: {auto: {schedule: x}}")
    assert defaults.values(config(load.dump_effective(first))) == defaults.values(first)


def test_dump_holds_what_the_user_wrote_and_no_more() -> None:
    assert load.dump(config("sync: {toHost: {pods: {enabled: true}}}", "controlPlane.proxy.port=9")) == (
        "sync:\n  toHost:\n    pods:\n      enabled: true\ncontrolPlane:\n  proxy:\n    port: 9\n"
    )


def test_user_values_cannot_be_changed_from_outside() -> None:
    found = config("sync: {toHost: {pods: {enabled: true}}}")
    found.user_values["sync"] = None
    assert found.user_values == {"sync": {"toHost": {"pods": {"enabled": True}}}}


def test_booleans_and_text_mean_the_same_for_auto_keys() -> None:
    key = "sync: {{fromHost: {{storageClasses: {{enabled: {value}}}}}}}"
    for value, wanted in (("true", "true"), ("'true'", "true"), ("false", "false"), ("auto", "auto"), ("yes", "true")):
        assert config(key.format(value=value)).sync.from_host.storage_classes.enabled == wanted


def test_models_dump_as_pydantic_does() -> None:
    dumped = config("sync: {toHost: {pods: {priorityClassName: high}}}").model_dump(by_alias=True)
    assert dumped["sync"]["toHost"]["pods"]["priorityClassName"] == "high"
    assert dumped["controlPlane"]["proxy"]["extraSANs"] == []


def test_what_says_the_same_as_the_defaults_may_be_left_out_of_the_check() -> None:
    every_key = yaml_text.write(defaults.values(config("controlPlane: {proxy: {extraSANs: [a]}}")))
    source = load.Source("1.yaml", every_key)
    found = load.load([source], sparing=True)
    assert found == load.load([source])
    assert found.control_plane.model_fields_set == {"proxy"}
    assert found.user_values == load.load([source]).user_values


@pytest.mark.parametrize(
    "text",
    [
        "controlPlane: {statefulSet: {highAvailability: {replicas: true}}}",
        "controlPlane: {statefulSet: {highAvailability: {replicas: 1.0}}}",
        "controlPlane: {statefulSet: {resources: {limits: 5}}}",
        "sync: {toHost: {pods: {nope: 1}}}",
    ],
)
def test_what_is_wrong_is_found_in_a_sparing_check_too(text: str) -> None:
    with pytest.raises(errors.ConfigError):
        load.load([load.Source("1.yaml", text)], sparing=True)


def test_a_map_of_which_one_value_differs_keeps_the_others() -> None:
    text = "controlPlane: {statefulSet: {resources: {requests: {cpu: 1m}}}}"
    source = load.Source("1.yaml", text)
    assert load.load([source], sparing=True) == load.load([source])


def test_a_default_that_is_missing_in_a_merged_free_map_was_taken_away() -> None:
    source = load.Source("1.yaml", "controlPlane: {coredns: {deployment: {resources: {limits: {memory: 1Gi}}}}}")
    merged = load.load([source], is_merged=True).control_plane.coredns.deployment.resources
    written = load.load([source]).control_plane.coredns.deployment.resources
    assert (merged.limits, written.limits) == ({"memory": "1Gi"}, {"cpu": "1000m", "memory": "1Gi"})
