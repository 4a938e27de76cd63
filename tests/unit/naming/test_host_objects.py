"""Which host objects are shown where (spec §2.9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestling.naming import host_objects
from nestling.naming.tenant import HostKey, VirtualKey

MAPPINGS = host_objects.parse(
    {
        "team-a/ca": "default/authority",
        "team-a/kept": "default/*",
        "team-a/*": "shared/*",
        "/settings": "config/options",
        "": "own",
    },
    "nest",
)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (("team-a", "ca"), ("default", "authority")),
        (("team-a", "kept"), ("default", "kept")),
        (("team-a", "other"), ("shared", "other")),
        (("nest", "settings"), ("config", "options")),
        (("nest", "other"), ("own", "other")),
        (("team-b", "ca"), None),
        (("team", "a"), None),
    ],
)
def test_the_most_exact_row_decides(host: tuple[str, str], expected: tuple[str, str] | None) -> None:
    found = MAPPINGS.to_virtual(HostKey(*host))
    assert found == expected
    if found is not None:
        assert HostKey(*host) in list(MAPPINGS.to_host(found))


def test_the_own_namespace_by_its_name_counts_before_the_rows_without_one() -> None:
    mappings = host_objects.parse({"": "rest", "/a": "named/a", "nest/*": "all/*"}, "nest")
    assert mappings.to_virtual(HostKey("nest", "a")) == ("all", "a")


@pytest.mark.parametrize("key", [("shared", "ca"), ("own", "settings"), ("elsewhere", "x"), ("default", "ca")])
def test_what_another_row_takes_is_not_shown_twice(key: tuple[str, str]) -> None:
    assert list(MAPPINGS.to_host(VirtualKey(*key))) == []


def test_several_host_objects_may_be_meant_by_one_name() -> None:
    mappings = host_objects.parse({"b/*": "config/*", "a/*": "config/*", "c/one": "config/two"}, "nest")
    assert list(mappings.to_host(VirtualKey("config", "two"))) == [("c", "one"), ("a", "two"), ("b", "two")]


NAMESPACES = st.sampled_from(["a", "b", "nest"])
NAMES = st.sampled_from(["x", "y"])
PAIRS = st.one_of(
    st.tuples(st.builds("{}/*".format, NAMESPACES), st.builds("{}/*".format, NAMESPACES)),
    st.tuples(st.builds("{}/{}".format, NAMESPACES, NAMES), st.builds("{}/{}".format, NAMESPACES, NAMES)),
    st.tuples(st.builds("{}/{}".format, NAMESPACES, NAMES), st.builds("{}/*".format, NAMESPACES)),
    st.tuples(st.builds("/{}".format, NAMES), st.builds("{}/{}".format, NAMESPACES, NAMES)),
    st.tuples(st.just(""), NAMESPACES),
)


@given(by_name=st.lists(PAIRS).map(dict), namespace=NAMESPACES, name=NAMES)
def test_both_directions_agree(by_name: dict[str, str], namespace: str, name: str) -> None:
    mappings = host_objects.parse(by_name, "nest")
    shown = mappings.to_virtual(HostKey(namespace, name))
    assert shown is None or (namespace, name) in list(mappings.to_host(shown))
    for host in mappings.to_host(VirtualKey(namespace, name)):
        assert mappings.to_virtual(host) == (namespace, name)
