from __future__ import annotations

import json

import pytest

from nestling.kube import errors


def _status(code: int, reason: str, **more: object) -> bytes:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": "no!"}
    return json.dumps(body | more).encode()


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", errors.BadRequest),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (405, "MethodNotAllowed", errors.MethodNotAllowed),
        (406, "NotAcceptable", errors.NotAcceptable),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (410, "Expired", errors.Expired),
        (413, "RequestEntityTooLarge", errors.TooLarge),
        (415, "UnsupportedMediaType", errors.Unsupported),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.ServerError),
        (503, "ServiceUnavailable", errors.ServerError),
        (504, "Timeout", errors.Timeout),
        (418, "Teapot", errors.ApiError),
    ],
)
def test_class_of_an_answer(code: int, reason: str, expected: type[errors.ApiError]) -> None:
    error = errors.from_response(code, _status(code, reason))
    assert type(error) is expected
    assert (error.status, error.reason, error.message) == (code, reason, "no!")
    assert str(error) == f"no! ({code} {reason})"
    assert error.body["kind"] == "Status"


def test_an_existing_name_is_not_a_conflict() -> None:
    assert not issubclass(errors.AlreadyExists, errors.Conflict)


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b'{"some": "json"}', b"[1]", b"\xff\xfe"])
def test_a_body_that_is_no_status(body: bytes) -> None:
    error = errors.from_response(502, body)
    assert type(error) is errors.ServerError
    assert error.message.startswith("the server answered 502")
    assert error.body == {}


def test_long_foreign_bodies_are_cut() -> None:
    assert len(str(errors.from_response(500, b"x" * 10_000))) < 400


def test_causes_say_which_field() -> None:
    causes = [{"reason": "FieldValueInvalid", "message": "wrong", "field": "spec.ports"}]
    error = errors.from_response(422, _status(422, "Invalid", details={"kind": "Service", "causes": causes}))
    assert error.causes == causes
    assert error.details["kind"] == "Service"
    assert errors.from_response(422, _status(422, "Invalid")).causes == []


def test_when_to_come_back() -> None:
    assert errors.from_response(429, _status(429, "TooManyRequests"), 3.0).retry_after == 3.0
    assert (
        errors.from_response(429, _status(429, "TooManyRequests", details={"retryAfterSeconds": 7})).retry_after == 7.0
    )
    assert errors.from_response(429, _status(429, "TooManyRequests")).retry_after is None


def test_the_status_in_a_watch_has_its_code_inside() -> None:
    error = errors.from_status({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    assert type(error) is errors.Expired
    assert type(errors.from_status({})) is errors.ServerError


def test_connection_errors_say_where_and_why() -> None:
    assert (
        str(errors.ConnectionFailed("https://h:1", "connection refused"))
        == "cannot reach https://h:1: connection refused"
    )
    lacking = errors.CredentialsFailed("https://h:1", "the plugin failed")
    assert isinstance(lacking, errors.ConnectionFailed)
    assert str(lacking) == "no credentials for https://h:1: the plugin failed"
