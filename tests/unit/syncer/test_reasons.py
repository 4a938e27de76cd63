"""What is said of an error holds no content of objects."""

from __future__ import annotations

import pytest

from nestling.kube import errors
from nestling.kube.resource import CONFIG_MAPS, PODS, SECRETS, Resource
from nestling.syncer import apply, reasons
from nestling.syncer.spec import Waiting


def refused(status: int, reason: str, message: str, causes: list[dict[str, str]] | None = None) -> errors.ApiError:
    body = {"code": status, "reason": reason, "message": message, "details": {"causes": causes or []}}
    return errors.from_status(body)


def test_causes_are_named_by_field_not_by_value() -> None:
    causes = [{"field": "spec", "reason": "FieldValueForbidden", "message": "Forbidden: … PASSWORD=hunter2 …"}]
    error = refused(422, "Invalid", "pod is invalid: PASSWORD=hunter2", causes)
    assert reasons.text(error, PODS, PODS) == "Invalid (422): spec (FieldValueForbidden)"


def test_a_refusal_without_causes_that_may_quote_is_not_quoted() -> None:
    assert reasons.text(refused(422, "Invalid", "hunter2"), PODS) == "Invalid (422)"
    assert reasons.text(refused(400, "BadRequest", "hunter2"), PODS) == "BadRequest (400)"


def test_a_quota_is_quoted() -> None:
    assert "exceeded quota" in reasons.text(refused(403, "Forbidden", "exceeded quota: two pods"), PODS, PODS)


@pytest.mark.parametrize("resource", [SECRETS, CONFIG_MAPS])
def test_nothing_is_quoted_of_kinds_with_content(resource: Resource) -> None:
    assert reasons.text(refused(403, "Forbidden", "hunter2"), PODS, resource) == "Forbidden (403)"


def test_our_own_words_are_said_and_strangers_words_are_not() -> None:
    assert reasons.text(apply.Refused("the name is taken"), SECRETS) == "the name is taken"
    assert reasons.text(Waiting("no node yet"), PODS) == "no node yet"
    assert reasons.text(errors.ConnectionFailed("https://h", "reset"), PODS) == "cannot reach https://h: reset"
    assert "hunter2" not in reasons.text(KeyError("hunter2"), PODS)


def test_a_text_is_a_line() -> None:
    assert len(reasons.text(Waiting("x" * 1000), PODS)) == 256


@pytest.mark.parametrize(
    ("status", "reason", "message", "advice"),
    [
        (403, "Forbidden", 'pods "a" is forbidden: exceeded quota: q, requested: pods=1', "larger quota"),
        (403, "Forbidden", 'pods "a" is forbidden: violates PodSecurity "baseline:latest"', "pod security standard"),
        (403, "Forbidden", 'User "x" cannot create resource "pods" in API group ""', "lacks this right"),
        (403, "Forbidden", "unable to create new content in namespace x because it is being terminated", "deleted"),
        (403, "Forbidden", 'admission webhook "p.example.com" denied the request: no', "policy of the host"),
        (422, "Invalid", "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", "policy of the host"),
        (413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", "make it smaller"),
        (500, "InternalError", "etcdserver: request is too large", "make it smaller"),
        (500, "InternalError", "etcdserver: mvcc: database space exceeded", "make room"),
        (422, "Invalid", "metadata.annotations: Too long: may not be more than 262144 bytes", "make it smaller"),
    ],
)
def test_what_to_do_about_a_refusal(status: int, reason: str, message: str, advice: str) -> None:
    assert advice in reasons.advice(refused(status, reason, message))


def test_a_refusal_that_says_itself_what_to_do_gets_no_advice() -> None:
    assert reasons.advice(refused(422, "Invalid", "spec.ports[0].port: Invalid value: 0")) == ""
