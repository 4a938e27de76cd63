"""What ``delete`` says of claims before their data is gone, on the local driver (docs/lessons.md row 21)."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.integration.lifecycle.conftest import World, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


def claim_of_tenant(world: World, name: str) -> str:
    """A claim in the virtual cluster; the name of its host object, once that is there."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "files"}, "spec": spec}
    file = world.folder / "claim.yaml"
    file.write_text(yaml.safe_dump(body))
    world.run("connect", name, "--", "kubectl", "apply", "-f", str(file))
    host_name = f"files-x-default-x-{name}"
    until(lambda: world.exists("pvc", host_name, "-n", f"vcluster-{name}"), "the claim on the host")
    return host_name


@pytest.mark.parametrize("flag", ["--keep-pvc", "--wait=true"])
def test_21_the_claims_of_a_tenant_are_named_before_they_go(world: World, flag: str) -> None:
    world.run("create", "data", "--connect=false")
    host_name = claim_of_tenant(world, "data")
    found = json.loads(world.kubectl("get", "pvc", host_name, "-n", "vcluster-data", "-o", "json"))
    assert [owner["name"] for owner in found["metadata"]["ownerReferences"]] == ["data"]
    done = world.run("delete", "data", flag)
    assert "Claims that go, with their data: 1 of the tenant (default/files)" in done.stderr
    assert done.stdout == ""
    assert ("--keep-pvc keeps claims of the control plane, and there is none" in done.stderr) is (flag == "--keep-pvc")
    assert not world.exists("pvc", host_name, "-n", "vcluster-data")
    assert world.exists("namespace", "vcluster-data") is (flag == "--keep-pvc")
    world.kubectl("delete", "namespace", "vcluster-data", "--ignore-not-found")


def test_21_a_namespace_that_goes_takes_the_claims_of_others_along(world: World) -> None:
    world.run("create", "shared", "--connect=false")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "theirs"}, "spec": spec}
    file = world.folder / "theirs.yaml"
    file.write_text(yaml.safe_dump(body))
    world.kubectl("apply", "-n", "vcluster-shared", "-f", str(file))
    said = world.run("delete", "shared").stderr
    assert "Claims that go, with their data: 1 of others in the namespace (theirs)" in said
    assert not world.exists("namespace", "vcluster-shared")
