"""Properties of the translation for pods of every shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
from hypothesis import strategies as st

from nestling.kube.resource import Obj
from nestling.resources.pods import metadata, references, status, translate, update
from tests.unit.resources.pods import builders as b

#: Names that cannot come about by accident, so that a walk over the result finds one that was not translated.
NAMES = st.sampled_from(["ref-one", "ref-two", "ref.three", "ref-" + "x" * 60])
PATHS = st.sampled_from(
    ["metadata.name", "metadata.labels['release']", "metadata.namespace", "status.podIP", "metadata.labels"]
)
KEYS = st.sampled_from(["app", "release", "vcluster.loft.sh/managed-by", "vcluster.loft.sh/namespace", "tier"])
TEXTS = st.sampled_from(["a", "b", "my-vc", "other"])
MAPS = st.dictionaries(KEYS, TEXTS, max_size=3)


def _sources(*kinds: str) -> st.SearchStrategy[Obj]:
    return st.one_of(*(NAMES.map(lambda name, kind=kind: {kind: {"name": name}}) for kind in kinds))  # type: ignore[misc]  # a default binds the loop's value


ENV = st.one_of(
    st.builds(lambda name: {"name": "A", "valueFrom": {"configMapKeyRef": {"name": name, "key": "k"}}}, NAMES),
    st.builds(lambda name: {"name": "B", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}, NAMES),
    st.builds(lambda path: {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": path}}}, PATHS),
    st.just({"name": "KUBERNETES_SERVICE_HOST", "value": "x"}),
)
PROJECTED = st.one_of(
    _sources("configMap", "secret"),
    st.builds(
        lambda path, seconds: b.token_source(path, expirationSeconds=seconds),
        st.sampled_from(["t", "u/v"]),
        st.integers(600, 9999),
    ),
    st.builds(lambda path: {"downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": path}}]}}, PATHS),
)
VOLUMES = st.one_of(
    st.builds(lambda name: {"configMap": {"name": name}}, NAMES),
    st.builds(lambda name: {"secret": {"secretName": name}}, NAMES),
    st.builds(lambda name: {"persistentVolumeClaim": {"claimName": name}}, NAMES),
    st.builds(lambda name: {"csi": {"driver": "d", "nodePublishSecretRef": {"name": name}}}, NAMES),
    st.builds(lambda name: {"rbd": {"secretRef": {"name": name}}}, NAMES),
    st.builds(lambda name: {"azureFile": {"secretName": name}}, NAMES),
    st.builds(lambda sources: {"projected": {"sources": sources}}, st.lists(PROJECTED, max_size=3)),
    st.just({"hostPath": {"path": "/var/log"}}),
    st.just({"emptyDir": {}}),
    st.just({"ephemeral": {"volumeClaimTemplate": {}}}),
)
CONTAINERS = st.builds(
    lambda env, sources: b.container(env=env, envFrom=sources),
    st.lists(ENV, max_size=3, unique_by=lambda one: str(one["name"])),
    st.lists(_sources("configMapRef", "secretRef"), max_size=2),
)
SELECTORS = st.fixed_dictionaries(
    {"topologyKey": st.just("zone"), "labelSelector": st.builds(lambda labels: {"matchLabels": labels}, MAPS)}
)


@st.composite
def pods(draw: st.DrawFn) -> Obj:
    volumes = [{"name": f"v{number}", **volume} for number, volume in enumerate(draw(st.lists(VOLUMES, max_size=4)))]
    names = iter(["app", "side", "extra"])
    spec: dict[str, Any] = {
        "volumes": volumes,
        "containers": [{**one, "name": next(names)} for one in draw(st.lists(CONTAINERS, min_size=1, max_size=3))],
        "imagePullSecrets": [{"name": name} for name in draw(st.lists(NAMES, max_size=2, unique=True))],
        "affinity": {
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": draw(st.lists(SELECTORS, max_size=2))}
        },
        "topologySpreadConstraints": draw(st.lists(SELECTORS, max_size=1)),
        "tolerations": [{"key": key} for key in draw(st.lists(TEXTS, max_size=2, unique=True))],
        **draw(
            st.fixed_dictionaries(
                {}, optional={"subdomain": st.just("sub"), "hostNetwork": st.booleans(), "priority": st.integers(0, 9)}
            )
        ),
    }
    # the API server stores no empty list
    spec = {field: value for field, value in spec.items() if value != []}
    meta = {"labels": draw(MAPS), "annotations": draw(MAPS)}
    name = draw(st.sampled_from(["web", "web.1", "w" * 70]))
    return b.pod(
        name,
        draw(st.sampled_from(["default", "kube-system"])),
        meta=meta,
        status={"phase": "Pending", "qosClass": "Burstable"},
        **spec,
    )


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def selectors(value: Any) -> Iterator[Obj]:
    if isinstance(value, dict):
        if "labelSelector" in value:
            yield value["labelSelector"]
        for item in value.values():
            yield from selectors(item)
    elif isinstance(value, list):
        for item in value:
            yield from selectors(item)


#: No deadline for one example: the machine may be busy.
SETTINGS = hypothesis.settings(deadline=None, max_examples=50)
CTX = b.pod_context(namespace_labels={"team": "a"}, services=(b.service("redis", "10.96.1.1", {"port": 6379}),))


@SETTINGS
@hypothesis.given(pods())
def test_translation_changes_no_input_and_is_the_same_again(virtual: Obj) -> None:
    before = b.untouched(virtual)
    first = translate.translate(CTX, virtual)
    assert virtual == before
    assert translate.translate(CTX, virtual) == first


@SETTINGS
@hypothesis.given(pods())
def test_no_name_of_a_virtual_object_remains(virtual: Obj) -> None:
    names = {reference.key.name for reference in references.references(virtual)}
    assert not names & set(strings(translate.translate(CTX, virtual)["spec"]))


@SETTINGS
@hypothesis.given(pods())
def test_everything_that_is_named_on_the_host_is_referenced(virtual: Obj) -> None:
    expected = {CTX.host_name(one.resource, one.key.namespace, one.key.name) for one in references.references(virtual)}
    assert expected <= set(strings(translate.translate(CTX, virtual)["spec"]))


@SETTINGS
@hypothesis.given(pods())
def test_marks_are_on_every_pod_and_in_every_selector(virtual: Obj) -> None:
    host = translate.translate(CTX, virtual)
    marks = {"vcluster.loft.sh/managed-by": "my-vc", "vcluster.loft.sh/namespace": virtual["metadata"]["namespace"]}
    assert marks.items() <= host["metadata"]["labels"].items()
    for selector in selectors(host["spec"]):
        assert marks.items() <= selector["matchLabels"].items()


@SETTINGS
@hypothesis.given(pods())
def test_a_host_pod_that_was_just_created_needs_no_update(virtual: Obj) -> None:
    host = b.host_of(virtual, CTX)
    assert update.host_spec(CTX, virtual, host) == host["spec"]
    assert update.ephemeral_containers(CTX, virtual, host) is None
    assert update.resize_patch(virtual, host) is None
    assert metadata.overlay(CTX, virtual, host["metadata"], host) == host["metadata"]


@SETTINGS
@hypothesis.given(pods())
def test_status_is_the_same_again(virtual: Obj) -> None:
    host = b.host_of(
        virtual,
        CTX,
        status={"phase": "Running", "qosClass": "Guaranteed", "conditions": [{"type": "Ready", "status": "True"}]},
    )
    first = status.virtual_status(CTX, virtual, host)
    assert status.virtual_status(CTX, {**virtual, "status": first}, host) == first


@SETTINGS
@hypothesis.given(pods())
def test_no_token_of_the_host_is_ever_projected(virtual: Obj) -> None:
    host = translate.translate(CTX, virtual)
    assert "serviceAccountToken" not in str(host["spec"].get("volumes"))
    assert not [key for key in host["metadata"]["annotations"] if key.startswith("vcluster.loft.sh/token-")]
