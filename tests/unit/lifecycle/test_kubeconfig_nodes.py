from __future__ import annotations

import pytest
import yaml

from nestling.lifecycle import kubeconfig_nodes as nodes

OTHERS = """\
apiVersion: v1
kind: Config
preferences: {colors: true}
x-unknown: 0o17
clusters:
- name: prod
  cluster: {server: 'https://prod:6443', certificate-authority-data: QUJD, something-new: [1, 2]}
contexts:
- context:
    cluster: prod
    user: me
    extensions:
    - name: other-tool
      extension: {provider: x}
  name: prod
users:
- name: me
  user:
    token: 0123
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: get-token
      args: ["--yes", 'no', on]
current-context: prod
"""

ENTRY = nodes.Entry("vcluster_a_ns_h", {"server": "https://127.0.0.1:1"}, {"token": "t"}, previous="prod")


def changed(text: str, *, undo: bool) -> str:
    document = nodes.Document.parse(text)
    document.add(ENTRY)
    document.set_current_context(ENTRY.name)
    if undo:
        document = nodes.Document.parse(document.text())
        for section in nodes.SECTIONS:
            document.remove(section, ENTRY.name)
        document.set_current_context("prod")
    return document.text()


def test_adding_and_removing_an_entry_leaves_the_text_of_the_others_as_it_was() -> None:
    assert changed(OTHERS, undo=True) == nodes.Document.parse(OTHERS).text()


def test_unknown_fields_and_spellings_of_others_survive() -> None:
    text = changed(OTHERS, undo=False)
    assert "x-unknown: 0o17" in text
    assert "token: 0123" in text
    assert "'no', on" in text
    assert "something-new" in text


def test_an_entry_has_cluster_user_and_context_of_one_name() -> None:
    data = yaml.safe_load(changed(OTHERS, undo=False))
    assert data["current-context"] == ENTRY.name
    assert [item["name"] for item in data["clusters"]] == ["prod", ENTRY.name]
    assert data["contexts"][1]["context"]["user"] == ENTRY.name
    assert data["users"][1]["user"] == {"token": "t"}


def test_a_second_add_replaces_the_first() -> None:
    document = nodes.Document.parse(changed(OTHERS, undo=False))
    document.add(nodes.Entry(ENTRY.name, {"server": "https://other"}, {}))
    data = yaml.safe_load(document.text())
    assert [item["cluster"]["server"] for item in data["clusters"]] == ["https://prod:6443", "https://other"]


def test_the_previous_context_is_remembered_in_the_context() -> None:
    document = nodes.Document.parse(changed(OTHERS, undo=False))
    assert document.previous_of(ENTRY.name) == "prod"
    assert document.previous_of("prod") is None
    document.add(nodes.Entry("first", {}, {}))
    assert document.previous_of("first") == ""


def test_the_contexts_of_a_virtual_cluster_are_found_whatever_they_are_called() -> None:
    document = nodes.Document.parse(changed(OTHERS, undo=False))
    document.add(nodes.Entry("mine", {}, {}, owner=ENTRY.name))
    assert document.owned_by(ENTRY.name) == [ENTRY.name, "mine"]


@pytest.mark.parametrize(
    "text", ["", "{}", "---\n", "clusters: []\ncontexts: null\n", "clusters: []\nusers: []\ncontexts: []\n"]
)
def test_an_empty_kubeconfig_takes_an_entry(text: str) -> None:
    data = yaml.safe_load(changed(text, undo=False))
    assert [item["name"] for item in data["contexts"]] == [ENTRY.name]


def test_a_json_kubeconfig_takes_an_entry() -> None:
    text = changed('{"apiVersion": "v1", "clusters": [{"name": "a", "cluster": {"server": "https://a"}}]}', undo=False)
    assert [item["name"] for item in yaml.safe_load(text)["clusters"]] == ["a", ENTRY.name]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1,\n  2\nb: 3\n", 3),
        ("- a\n- b\n", 1),
        ("clusters:\n- cluster:\n    server: https://x\n", 2),
        ("contexts:\n  a: b\n", 2),
        ('users:\n- name: "half', None),
    ],
)
def test_a_broken_kubeconfig_is_refused_with_its_line(text: str, line: int | None) -> None:
    with pytest.raises(nodes.BrokenError) as caught:
        nodes.Document.parse(text)
    if line is not None:
        assert caught.value.line == line
