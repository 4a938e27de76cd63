from __future__ import annotations

import pytest

from nestling.drivers import errors
from nestling.lifecycle import names


@pytest.mark.parametrize("name", ["a", "my-vc", "team-1", "a" * names.MAX_NAME])
def test_names_that_kubernetes_accepts_pass(name: str) -> None:
    names.check_name(name)


@pytest.mark.parametrize(
    ("name", "problem", "instead"),
    [
        ("My_VC", "contains 'C' 'M' 'V' '_'", '"my-vc"'),
        ("-web", "starts or ends with '-'", '"web"'),
        ("web-", "starts or ends with '-'", '"web"'),
        ("1web", "starts with a digit", '"web"'),
        ("a.b", "contains '.'", '"a-b"'),
        ("a" * 60, "has 60 characters, and 49 are allowed", f'"{"a" * 49}"'),
        ("", "is empty", ""),
        ("日本", "contains", ""),
        ("a/../b", "contains '.' '/'", '"a-b"'),
    ],
)
def test_a_name_that_kubernetes_refuses_is_refused_with_reason_and_replacement(
    name: str, problem: str, instead: str
) -> None:
    with pytest.raises(errors.UserError) as caught:
        names.check_name(name)
    assert problem in str(caught.value)
    assert instead in str(caught.value)


def test_a_suggested_name_is_itself_allowed() -> None:
    for name in ("My_VC", "9-lives!", "x" * 80, "über-cluster", "--a--"):
        names.check_name(names.suggestion(name, names.MAX_NAME, letter_first=True))


def test_the_longest_name_keeps_all_derived_names_within_63_characters() -> None:
    longest = "a" * names.MAX_NAME
    derived = [f"vc-config-{longest}", f"vc-workload-{longest}", f"{longest}-etcd-headless", f"vcluster-{longest}"]
    assert max(len(name) for name in derived) <= 63
    names.check_namespace(names.default_namespace(longest))


@pytest.mark.parametrize("namespace", ["Team", "", "a_b", "a" * 64])
def test_a_namespace_that_kubernetes_refuses_is_refused(namespace: str) -> None:
    with pytest.raises(errors.UserError, match="the namespace"):
        names.check_namespace(namespace)
