from __future__ import annotations

import math

import hypothesis
import pytest
from hypothesis import strategies

from nestling.config import errors, yaml_text


def read(text: str) -> yaml_text.Document:
    return yaml_text.read("a.yaml", text)


def values(text: str) -> dict[str, object]:
    document = read(text)
    assert document.problems == []
    return document.values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("1:30", "1:30"),
        ("8080:80", "8080:80"),
        ("yes", True),
        ("Off", False),
        ("n", False),
        ("true", True),
        ("1e3", 1000.0),
        ("1.30", 1.3),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 15),
        ("0b11", 3),
        ("1_000", 1000),
        ("-5", -5),
        ("~", None),
        ("null", None),
        ("", None),
        ("NULL", None),
        ("v1.32.1", "v1.32.1"),
        ("5Gi", "5Gi"),
        ("'true'", "true"),
        ('"5"', "5"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("<<", "<<"),
        ("=", "="),
        ("08", 8.0),
    ],
)
def test_scalars_are_what_helm_reads(text: str, value: object) -> None:
    assert values(f"a: {text}\n") == {"a": value}


def test_special_floats() -> None:
    assert values("a: .inf\nb: -.Inf\n") == {"a": math.inf, "b": -math.inf}
    assert math.isnan(values("a: .NaN\n")["a"])  # type: ignore[arg-type]  # it is a float


def test_keys_become_text() -> None:
    assert values("1: a\non: b\n2.50: c\n'x': d\n") == {"1": "a", "true": "b", "2.50": "c", "x": "d"}


def test_a_key_given_twice_is_an_error_with_both_lines() -> None:
    document = read("a:\n  b: 1\n  c: 2\n  b: 3\n")
    assert document.problems == [
        errors.Problem("a.b", "a.yaml", 4, "is given twice", "it is first given on line 2; keep one of the two")
    ]


def test_lines_of_keys_and_entries() -> None:
    document = read("a:\n  b:\n    - x\n    - c: 1\n")
    assert document.lines == {("a",): 1, ("a", "b"): 2, ("a", "b", 0): 3, ("a", "b", 1): 4, ("a", "b", 1, "c"): 4}


def test_merge_keys_and_aliases() -> None:
    text = "base: &base {x: 1, z: 2}\nown:\n  <<: *base\n  z: 3\nsame: *base\n"
    assert values(text) == {"base": {"x": 1, "z": 2}, "own": {"x": 1, "z": 3}, "same": {"x": 1, "z": 2}}
    assert values("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}\n")["c"] == {"x": 1, "z": 3}


def test_an_alias_bomb_ends() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(errors.ConfigError, match="more than 100000 values"):
        read("\n".join(lines))


def test_an_alias_to_itself_ends() -> None:
    with pytest.raises(errors.ConfigError, match="aliases"):
        read("a: &a\n  b: *a\n")


def test_merge_keys_do_not_hide_a_bomb() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 9)]
    with pytest.raises(errors.ConfigError, match="more than 100000 values"):
        read("\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 100_000 + "]" * 100_000,
        "".join(" " * depth + "a:\n" for depth in range(400)),
        "a: " + "{b: " * 500,
    ],
)
def test_deep_nesting_is_refused_and_ends_no_process(text: str) -> None:
    (problem,) = read(text).problems
    assert problem.message == "is nested more than 100 levels deep"
    assert problem.line is not None


def test_what_a_secret_could_not_hold_is_refused() -> None:
    (problem,) = read("a: b\n" * 300_000).problems
    assert "1048576 are allowed" in problem.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b\nc: \x00\n", "holds the character U+0000, which no YAML may hold"),
        ("a: b\nc: \x1b[31m\n", "holds the character U+001B, which no YAML may hold"),
        ("a: b\nc: \udcff\n", "is not UTF-8 text"),
    ],
)
def test_characters_that_no_file_may_hold_are_named_with_their_line(text: str, message: str) -> None:
    (problem,) = read(text).problems
    assert (problem.message, problem.line) == (message, 2)


@pytest.mark.parametrize("text", ["\ufeffa: 1\n", "a: 1\r\n", "\ufeffa: 1\r\n# x\r\n", "a: 1\r"])
def test_files_of_other_systems_are_read(text: str) -> None:
    assert values(text) == {"a": 1}


@pytest.mark.parametrize("text", ["9" * 5000, "0x_", "0b_", "-0x", "9" * 301 + ".5"])
def test_what_looks_like_a_number_and_is_none_is_text(text: str) -> None:
    assert values(f"a: {text}\n") == {"a": text}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_empty_files_are_empty_values(text: str) -> None:
    assert values(text) == {}


def test_several_documents_are_refused() -> None:
    (problem,) = read("a: 1\n---\nb: 2\n").problems
    assert (problem.line, problem.message) == (3, "holds more than one YAML document")


@pytest.mark.parametrize(("text", "what"), [("- a\n", "is a list"), ("hello\n", "is a single value")])
def test_the_root_is_a_mapping(text: str, what: str) -> None:
    (problem,) = read(text).problems
    assert problem.message == what


@pytest.mark.parametrize("text", ["a: [1\n", "a:\n\t- b\n", "a: b: c\n", "a: 'x\n", "%YAML\n"])
def test_broken_yaml_is_named_with_its_line(text: str) -> None:
    (problem,) = read(text).problems
    assert problem.message.startswith("is not YAML: ")
    assert problem.line is not None


def test_unknown_tags_are_refused() -> None:
    (problem,) = read("a: !secret x\n").problems
    assert problem.message == "has the tag !secret"


@pytest.mark.parametrize(("key", "what"), [("[a, b]", "a list"), ("{a: b}", "a mapping")])
def test_lists_and_mappings_as_keys_are_refused(key: str, what: str) -> None:
    (problem,) = read(f"? {key}\n: c\n").problems
    assert problem.message == f"has {what} as a key"


def test_the_spelling_of_numbers_is_kept() -> None:
    assert read("a: 1.30\nb: yes\nc: x\n").written == {("a",): "1.30", ("b",): "yes"}


def test_json_is_yaml() -> None:
    assert values('{"a": {"b": [1, true, null]}}') == {"a": {"b": [1, True, None]}}


@pytest.mark.parametrize(
    "value",
    [
        "y",
        "No",
        "1e3",
        "0o17",
        "2024-01-01",
        "1:30",
        "",
        "~",
        "5",
        "a: b",
        "line\nline\n",
        "- x",
        5,
        1.5,
        True,
        None,
        [],
        {},
    ],
)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    wanted = {"a": value, "list": [value]}
    assert values(yaml_text.write(wanted)) == wanted


_TEXT = strategies.text(strategies.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=12)
_SCALARS = strategies.none() | strategies.booleans() | strategies.integers(-(2**63), 2**63 - 1) | _TEXT
_VALUES = strategies.recursive(
    _SCALARS, lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(_TEXT, inner, max_size=3)
)


@hypothesis.settings(deadline=None, max_examples=150)
@hypothesis.given(strategies.dictionaries(_TEXT, _VALUES, max_size=4))
def test_any_values_read_back_the_same(wanted: dict[str, object]) -> None:
    assert values(yaml_text.write(wanted)) == wanted
