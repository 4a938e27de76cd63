"""Which names a virtual cluster may have. Pure.

The name goes into host objects (Service NAME, Secret ``vc-config-NAME``, ServiceAccount ``vc-workload-NAME``), which
are DNS labels of
at most 63 characters, and into label values.
"""

from __future__ import annotations

import re
from typing import Final

from nestling.drivers import errors

#: The longest name: ``vc-workload-NAME``, ``NAME-etcd-headless`` and ``vcluster-NAME`` stay within 63 characters.
MAX_NAME: Final = 63 - len("-etcd-headless")
MAX_NAMESPACE: Final = 63
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def check_name(name: str) -> None:
    """Refuse a name that Kubernetes would refuse later, with a name that would do."""
    problem = _problem(name, MAX_NAME)
    if problem is None and name[0].isdigit():
        problem = "starts with a digit, and a Service of that name cannot"
    if problem is not None:
        raise errors.UserError(_refusal("name", name, problem, MAX_NAME, letter_first=True))


def check_namespace(namespace: str) -> None:
    """The same for the host namespace."""
    problem = _problem(namespace, MAX_NAMESPACE)
    if problem is not None:
        raise errors.UserError(_refusal("namespace", namespace, problem, MAX_NAMESPACE, letter_first=False))


def default_namespace(name: str) -> str:
    """Where a virtual cluster goes when no namespace is given (spec §7)."""
    return f"vcluster-{name}"


def suggestion(name: str, limit: int, *, letter_first: bool) -> str:
    """The nearest name that is allowed, or an empty string."""
    candidate = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if letter_first:
        candidate = candidate.lstrip("0123456789-")
    return candidate[:limit].strip("-")


def _problem(name: str, limit: int) -> str | None:
    if not name:
        return "is empty"
    if len(name) > limit:
        return f"has {len(name)} characters, and {limit} are allowed"
    if _LABEL.fullmatch(name):
        return None
    wrong = sorted({character for character in name if not re.fullmatch("[-a-z0-9]", character)})
    if wrong:
        return "contains " + " ".join(repr(character) for character in wrong)
    return "starts or ends with '-'"


def _refusal(what: str, name: str, problem: str, limit: int, *, letter_first: bool) -> str:
    start = "start with a letter" if letter_first else "start with a letter or digit"
    better = suggestion(name, limit, letter_first=letter_first)
    instead = f'; for example "{better}"' if better and better != name else ""
    return (
        f'the {what} "{name}" {problem}. Kubernetes allows lower-case letters, digits and "-"; '
        f"it must {start}, end with a letter or digit, and have at most {limit} characters{instead}"
    )
