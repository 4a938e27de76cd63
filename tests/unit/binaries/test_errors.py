from __future__ import annotations

from nestling.binaries import errors


def test_exhausted_names_every_provider_and_what_to_do() -> None:
    attempts = [
        errors.Attempt("a", "cache", "/c/a is not there"),
        errors.Attempt("b", "cache", "/c/b is not there"),
        errors.Attempt("a", "download", "cannot reach x: Name or service not known"),
        errors.Attempt("b", "download", "cannot reach x: Name or service not known"),
        errors.Attempt("a", "go build", "no go"),
        errors.Attempt("b", "go build", "no go"),
    ]
    lines = str(errors.exhausted(["a v1", "b v1"], attempts)).splitlines()
    assert lines[:5] == [
        "cannot get a v1, b v1; tried:",
        "  cache (a): /c/a is not there",
        "  cache (b): /c/b is not there",
        "  download (a, b): cannot reach x: Name or service not known",
        "  go build (a, b): no go",
    ]
    assert all(word in "\n".join(lines[5:]) for word in ("NESTLING_BIN_DIR", "NESTLING_MIRROR", "install Go"))
