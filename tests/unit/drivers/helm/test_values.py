from __future__ import annotations

import base64
import gzip
import json

import pytest
import yaml

from nestling.config import load
from nestling.drivers import base, errors
from nestling.drivers.helm import values

STORE = "controlPlane: {backingStore: {%s}}"
STORES = {
    "external etcd": "etcd: {external: {enabled: true, endpoint: 'https://x:2379'}}",
    "deployed etcd": "etcd: {deploy: {enabled: true}}",
    "embedded etcd": "etcd: {embedded: {enabled: true}}",
    "external database": "database: {external: {enabled: true, dataSource: 'mysql://x'}}",
    "embedded database": "database: {embedded: {enabled: true}}",
}
#: Spec §4.4.
ALLOWED = {
    ("external etcd", "deployed etcd"),
    ("external etcd", "embedded etcd"),
    ("deployed etcd", "embedded etcd"),
    ("embedded database", "deployed etcd"),
    ("embedded database", "embedded etcd"),
    ("embedded database", "external database"),
}


def request(text: str, *, expose_local: bool = True) -> base.CreateRequest:
    config = load.load([load.Source("v", text)], refuse_unsupported=False)
    return base.CreateRequest("my-vc", "ns", config, load.dump(config), expose_local=expose_local)


@pytest.mark.parametrize("before", STORES)
@pytest.mark.parametrize("after", STORES)
def test_a_store_is_changed_only_where_the_data_goes_with_it(before: str, after: str) -> None:
    old, new = request(STORE % STORES[before]).config, request(STORE % STORES[after]).config
    assert values.store_of(old) == before
    if before == after or (before, after) in ALLOWED:
        values.check_change(old, new)
    else:
        with pytest.raises(errors.UserError, match=f"the data cannot move from an? {before} to an? {after}"):
            values.check_change(old, new)


def test_the_mode_of_namespaces_cannot_be_changed() -> None:
    on = request("sync: {toHost: {namespaces: {enabled: true, mappings: {byName: {a: b}}}}}").config
    with pytest.raises(errors.UserError, match=r"sync\.toHost\.namespaces\.enabled cannot be changed"):
        values.check_change(request("").config, on)


def test_helm_gets_what_the_user_wrote_and_nothing_else() -> None:
    text = "exportKubeConfig:\n  context: mine\n"
    assert yaml.safe_load(values.for_helm(request(text), desktop=False)) == yaml.safe_load(text)


def test_a_version_is_written_out_for_the_image() -> None:
    for written, tag in (("1.34", "v1.34.4"), ("v1.30.2", "v1.30.2")):
        found = yaml.safe_load(
            values.for_helm(request(f"controlPlane: {{distro: {{k8s: {{version: '{written}'}}}}}}"), desktop=False)
        )
        assert found["controlPlane"]["distro"]["k8s"]["version"] == tag


def test_on_a_desktop_a_port_of_the_node_is_taken_unless_the_values_say_otherwise() -> None:
    found = yaml.safe_load(values.for_helm(request("telemetry: {enabled: false}"), desktop=True))
    assert found["controlPlane"] == {"service": {"spec": {"type": "NodePort"}}}
    assert found["telemetry"] == {"enabled": False}
    chosen = "controlPlane: {service: {spec: {type: LoadBalancer}}}"
    assert "NodePort" not in values.for_helm(request(chosen), desktop=True)
    assert "NodePort" not in values.for_helm(request("", expose_local=False), desktop=True)


def record(content: object) -> dict[str, object]:
    packed = gzip.compress(json.dumps(content).encode())
    return {"data": {"release": base64.b64encode(base64.b64encode(packed)).decode()}}


def test_the_values_of_the_user_are_in_helms_record() -> None:
    assert values.release(record({"config": {"a": 1}}))["config"] == {"a": 1}


@pytest.mark.parametrize("text", ["", "!!", base64.b64encode(b"!!").decode(), base64.b64encode(b"H4sIAAA=").decode()])
def test_a_record_that_cannot_be_read_says_nothing(text: str) -> None:
    assert values.release({"data": {"release": text}}) == {}
