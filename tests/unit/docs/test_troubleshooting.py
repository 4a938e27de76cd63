"""docs/troubleshooting.md has every message that a user can meet, and none that nobody says any more."""

from __future__ import annotations

import re
from typing import Final

import pytest

from nestling.controlplane import log_hints
from nestling.kube import errors
from nestling.syncer import reasons
from tests.unit.docs import messages, pages

PAGE: Final = pages.read(pages.ROOT / "docs" / "troubleshooting.md")
LISTED: Final = re.findall(r"^- `([^`\n]+)`$", PAGE.text, re.MULTILINE)
#: Fewer letters than these say nothing by themselves: they come with the error around them.
FEWEST_LETTERS: Final = 8
#: Texts that are put together in a way that cannot be followed, with what they begin with.
BY_HAND: Final = {
    "cannot get …; tried:": messages.SOURCE / "binaries" / "errors.py",
    'the control plane of "…" in the namespace … does not become ready: …': (
        messages.SOURCE / "drivers" / "helm" / "scaling.py"
    ),
    "the values cannot be used:": messages.ROOT / "chart" / "templates" / "validations.yaml",
    "the host cluster refuses: …": messages.SOURCE / "controlplane" / "host_version.py",
    "the operating system refuses": messages.SOURCE / "cli" / "failures.py",
    "The store of … is slow: …": messages.SOURCE / "lifecycle" / "store_check.py",
    "SQLite cannot give room back while it is used, and there is no room to write its file anew, once": (
        messages.SOURCE / "controlplane" / "sqlite_file.py"
    ),
    "SQLite's file stays as it is, and cannot give room back while it is used: …": (
        messages.SOURCE / "controlplane" / "sqlite_file.py"
    ),
}
#: Errors whose text is another error's, or is followed in another way.
PASSED_ON: Final = (
    "binaries/download.py: errors.ProviderError(dead)",
    "binaries/download.py: errors.ProviderError(self._dead[host])",
    "binaries/errors.py: BinaryError('\\n'.join(lines))",
    "cli/start.py: click.ClickException(str(error))",
    "controlplane/prepare.py: PreparationError(host_version.refusal(known, access))",
    "controlplane/prepare.py: PreparationError(str(error))",
    "controlplane/prepare.py: PreparationError(str(known))",
    "drivers/helm/scaling.py: errors.UserError(await self._why_not(pods, status, detail))",
    "kube/kubeconfig.py: KubeconfigError(f'{document.path}:{line}: {path} {problem}'.replace(':  ', ': '))",
    "kubelet/metrics_api.py: routes.Refused(400, error.message)",
    "kubelet/streams.py: routes.Refused(status, text or 'the host cluster does not do this')",
    "lifecycle/session.py: errors.NotFoundError(await self._not_found(name))",
)


def begins(listed: str, template: str) -> bool:
    """The page may end a message early; ``…`` on the page stands for anything."""
    pattern = ".*".join(re.escape(part) for part in listed.split(messages.HOLE))
    return re.match(pattern, template.replace("`", ""), re.DOTALL) is not None


def says_something(template: str) -> bool:
    return sum(letter.isalpha() for letter in template) >= FEWEST_LETTERS


def missing(found: messages.Found, listed: list[str]) -> list[str]:
    return [
        f"{message.where}: {message.text}"
        for message in found.messages
        if says_something(message.text) and not any(begins(one, message.text) for one in listed)
    ]


def test_every_message_of_the_source_is_on_the_page() -> None:
    """Add it to the section about its topic: "- `the first words of it`", with … for what is filled in."""
    assert missing(messages.all_of_the_source(), LISTED) == []


def test_every_message_of_the_page_is_in_the_source() -> None:
    texts = [message.text for message in messages.all_of_the_source().messages]
    unknown = [one for one in LISTED if one not in {*BY_HAND, *KUBE} and not any(begins(one, text) for text in texts)]
    assert unknown == []


def test_what_is_listed_says_something() -> None:
    assert [one for one in LISTED if not says_something(one)] == []
    assert len(LISTED) == len(set(LISTED))


def test_what_cannot_be_followed_is_known() -> None:
    found = set(messages.all_of_the_source().unfollowed)
    assert sorted(found - set(PASSED_ON)) == []
    assert sorted(set(PASSED_ON) - found) == []


@pytest.mark.parametrize("listed", BY_HAND)
def test_what_is_listed_by_hand_is_still_said(listed: str) -> None:
    assert listed in LISTED
    first = listed.partition(messages.HOLE)[0]
    assert first in BY_HAND[listed].read_text(encoding="utf-8")


#: The errors of the Kubernetes client, as they look.
KUBE: Final = {
    "cannot reach …: …": str(errors.ConnectionFailed("https://h", "refused")),
    "no credentials for …: …": str(errors.CredentialsFailed("https://h", "no file")),
    "the server answered …": str(errors.from_response(502, b"<html>")),
}


@pytest.mark.parametrize("listed", KUBE)
def test_the_errors_of_the_client_are_on_the_page(listed: str) -> None:
    assert listed in LISTED
    assert begins(listed, KUBE[listed])


def test_what_logs_mean_and_what_tenants_are_advised_is_on_the_page() -> None:
    text = " ".join(PAGE.text.split())
    meanings = [meaning.split(";")[0] for _, meaning in log_hints._ROWS]
    advice = [said for _, _, said in reasons._ADVICE]
    assert [one for one in [*meanings, *advice] if one not in text] == []


def test_the_check_sees_a_message_that_is_missing() -> None:
    made_up = messages.Found((messages.Message('the kettle "…" is empty; fill it', "a.py:1"),), ())
    assert missing(made_up, LISTED) == ['a.py:1: the kettle "…" is empty; fill it']
    assert missing(made_up, ['the kettle "…" is']) == []
    assert missing(made_up, ["the kettle … is full"]) == ['a.py:1: the kettle "…" is empty; fill it']
