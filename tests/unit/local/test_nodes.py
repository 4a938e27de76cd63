from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nestling.local import components, decide, layout, nodes, record
from nestling.local.node import network, outside, parts, spec


def real(name: str) -> record.Record:
    made = decide.new(name, decide.Options())
    return dataclasses.replace(
        made, node=record.CONTAINERD, network="10.201.0.0/23", nodes=1, ports={**made.ports, record.NODE: 31999}
    )


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[spec.Spec]:
    found: list[spec.Spec] = []
    monkeypatch.setattr(outside, "clean", found.append)
    return found


async def test_what_a_real_node_left_is_found_without_the_record(tmp_path: Path, cleaned: list[spec.Spec]) -> None:
    place = layout.Layout(tmp_path / "hosts" / "one")
    place.node.mkdir(parents=True)
    await nodes.clean(None, place)
    (found,) = cleaned
    known = network.of(real("one"), place)
    assert (found.device, found.table, found.cgroup) == (known.device, known.table, known.cgroup)
    assert (found.folder, found.anchor_file) == (known.folder, known.anchor_file)


async def test_a_host_with_simulated_nodes_left_nothing_outside(tmp_path: Path, cleaned: list[spec.Spec]) -> None:
    place = layout.Layout(tmp_path / "hosts" / "one")
    place.folder.mkdir(parents=True)
    await nodes.clean(None, place)
    await nodes.clean(decide.new("one", decide.Options()), place)
    assert cleaned == []


def test_a_damaged_neighbour_is_no_reason_against_a_real_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "routes", list)
    for name, text in (("broken", "{"), ("good", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / record.FILE).write_text(text)
    record.save(tmp_path / "good", real("good"))
    new = decide.new("mine", decide.Options())
    made = nodes.with_kind(new, record.CONTAINERD, hosts=tmp_path, clusters=(), options=decide.Options())
    assert made.network == "10.201.2.0/23"


@pytest.mark.parametrize("made", [decide.new("one", decide.Options()), real("one")], ids=["simulated", "real"])
def test_every_reader_of_certificates_is_a_part_of_the_plan(made: record.Record, tmp_path: Path) -> None:
    binaries = {name: tmp_path / name for name in nodes.binaries(made)}
    inputs = components.Inputs(made, layout.Layout(tmp_path), binaries)
    plan = parts.build(inputs) if made.real else components.build(inputs)
    names = {part.name for part in plan.components}
    themselves = {record.ETCD, record.API_SERVER}
    without = {parts.ANCHOR, parts.CONTAINERD, parts.PAUSE} & names
    assert set(nodes.certificate_readers(made)) == names - themselves - without
