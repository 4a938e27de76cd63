"""Looking into a virtual cluster, and renewing what it is made of, with real processes."""

from __future__ import annotations

import base64
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.integration.lifecycle import conftest
from tests.integration.lifecycle.conftest import World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

NAME = "looked-at"
MARKER = "m4rk3r-0f-a-s3cr3t"
#: Each place has a marker of its own, so that a failure names the hole.
PLACES = (
    *("virtual-data", "virtual-kubeconfig", "host-data", "environment", "argument", "annotation", "config-file"),
    *("values-comment", "values-env", "log"),
)


def marker(place: str) -> str:
    return f"{MARKER}-{place}"


def manifests() -> str:
    """Objects of the tenant that hold a marker in each place where people keep secrets."""
    kubeconfig = yaml.safe_dump({"users": [{"user": {"token": marker("virtual-kubeconfig")}}]})
    command = ["app", f"--password={marker('argument')}"]
    container = {"name": "a", "image": "a", "command": command, "env": [{"name": "A", "value": marker("environment")}]}
    file = f"database:\n  password: {marker('config-file')}\n"
    documents = [
        {"kind": "Secret", "metadata": {"name": "db"}, "stringData": {"any": marker("virtual-data")}},
        {"kind": "ConfigMap", "metadata": {"name": "access"}, "data": {"config": kubeconfig, "app.yaml": file}},
        {
            "kind": "Pod",
            "metadata": {"name": "app", "annotations": {"example.com/api-token": marker("annotation")}},
            "spec": {"containers": [container], "volumes": [{"name": "s", "secret": {"secretName": "db"}}]},
        },
    ]
    return yaml.safe_dump_all([{"apiVersion": "v1", **one} for one in documents])


def values() -> str:
    env = [{"name": "A", "value": marker("values-env")}]
    text = yaml.safe_dump({"controlPlane": {"statefulSet": {"env": env}}})
    return f"# The password of the database is {marker('values-comment')}\n{text}"


@pytest.fixture(scope="module")
def looked_at(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("values")
    (folder / "values.yaml").write_text(values())
    (folder / "objects.yaml").write_text(manifests())
    world.run("create", NAME, "--connect=false", "-f", str(folder / "values.yaml"))
    world.run("connect", NAME, "--", "kubectl", "apply", "-f", str(folder / "objects.yaml"))
    yield NAME
    world.run("delete", NAME, "--ignore-not-found")


def home(world: World) -> Path:
    return world.clusters / f"vcluster-{NAME}" / NAME


def test_describe_tells_when_each_kind_was_in_agreement(world: World, looked_at: str) -> None:
    def pods() -> dict[str, object]:
        found = json.loads(world.run("describe", looked_at, "-o", "json").stdout)
        kinds: dict[str, dict[str, object]] = found["sync"].get("syncer", {}).get("kinds", {})
        return kinds.get("pods", {})

    conftest.until(lambda: pods().get("inAgreement"), "agreement of the pods")
    assert pods()["lastAgreement"]
    text = world.run("describe", looked_at).stdout
    assert "IN AGREEMENT" in text
    assert f"Name:           {NAME}" in text


def test_no_secret_gets_into_the_archive(world: World, looked_at: str, tmp_path: Path) -> None:
    world.kubectl(
        "create", "secret", "generic", "theirs", "-n", f"vcluster-{NAME}", f"--from-literal=k={marker('host-data')}"
    )
    with (home(world) / "logs" / "syncer.log").open("a") as log:
        log.write(f"refused: password={marker('log')} and again {marker('virtual-data')}\n")
    archive = tmp_path / "collected.tar.gz"
    world.run("debug", "collect", looked_at, "--output-filename", str(archive))
    found = unpacked(archive)
    everything = "\n".join(found.values())
    holes = [place for place in PLACES if marker(place) in everything]
    assert holes == []
    encoded = [place for place in PLACES if base64.b64encode(marker(place).encode()).decode() in everything]
    assert encoded == []
    for private in sorted((home(world) / "data" / "pki").rglob("*.key")):
        assert private.read_text().splitlines()[1] not in everything, private
    admin = yaml.safe_load((home(world) / "data" / "pki" / "admin.conf").read_text())["users"][0]["user"]
    assert admin["client-key-data"] not in everything
    assert "PRIVATE KEY-----\n" not in everything
    assert {
        *("about.json", "release/plan.json", "status/supervisor.json", "status/syncer.json", "status/metrics.txt"),
        *("logs/kube-apiserver.log", "logs/etcd.log", "logs/syncer.log", "virtual/version.json", "host/version.json"),
        *("virtual/objects.json", "virtual/resources/pods/default/app.yaml"),
        *("virtual/resources/secrets/default/db.yaml", f"host/resources/services/vcluster-{NAME}/{NAME}.yaml"),
    } <= set(found)
    assert [path for path in found if path.endswith(".error.txt")] == []


def unpacked(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as opened:
        streams = {entry.name.partition("/")[2]: opened.extractfile(entry) for entry in opened.getmembers()}
        return {name: stream.read().decode() for name, stream in streams.items() if stream is not None}


def test_new_authorities_keep_data_and_tokens_and_shut_old_kubeconfigs_out(
    world: World, looked_at: str, tmp_path: Path
) -> None:
    before = tmp_path / "before"
    before.write_text(world.run("connect", looked_at, "--print").stdout)
    token = world.run("connect", looked_at, "--", "kubectl", "create", "token", "default").stdout.strip()
    world.run("certs", "rotate-ca", looked_at)
    identity = world.run("connect", looked_at, "--", "kubectl", "get", "secret", "db", "-o", "name").stdout.strip()
    assert identity == "secret/db"
    words = ("kubectl", "--token", token, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    config = yaml.safe_load(world.run("connect", looked_at, "--print").stdout)
    config["users"][0]["user"] = {}
    bare = tmp_path / "bare"
    bare.write_text(yaml.safe_dump(config))
    who = world.run("connect", looked_at, "--", *words[:1], "--kubeconfig", str(bare), *words[1:]).stdout
    assert who == "system:serviceaccount:default:default"
    old = world.run("connect", looked_at, "--", "kubectl", "--kubeconfig", str(before), "get", "ns", code=1)
    assert "unknown authority" in old.stderr


def test_a_paused_one_can_be_looked_into_and_gets_new_certificates_without_being_started(
    world: World, looked_at: str, tmp_path: Path
) -> None:
    running = json.loads(world.run("certs", "check", looked_at, "--output", "json").stdout)
    assert {row["status"] for row in running} == {"OK"}
    assert {"apiserver.crt", "etcd/server.crt", "admin.conf", "ca.crt"} <= {row["filename"] for row in running}
    world.run("pause", looked_at)
    old = (home(world) / "data" / "pki" / "apiserver.crt").read_bytes()
    authority = (home(world) / "data" / "pki" / "ca.crt").read_bytes()
    world.run("certs", "rotate", looked_at)
    assert world.processes(looked_at) == []
    assert world.entries()[looked_at]["Status"] == "Paused"
    assert (home(world) / "data" / "pki" / "apiserver.crt").read_bytes() != old
    assert (home(world) / "data" / "pki" / "ca.crt").read_bytes() == authority
    assert "apiserver.crt" in world.run("certs", "check", looked_at).stdout
    archive = tmp_path / "collected.tar.gz"
    world.run("debug", "collect", looked_at, "--output-filename", str(archive))
    found = unpacked(archive)
    assert "do not run" in found["virtual.error.txt"]
    assert {"logs/kube-apiserver.log", f"host/resources/services/vcluster-{NAME}/{NAME}.yaml"} <= set(found)
    world.run("resume", looked_at)
    world.run("connect", looked_at, "--", "kubectl", "get", "secret", "db")
