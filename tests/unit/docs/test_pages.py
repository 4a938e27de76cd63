"""Every page: links lead somewhere, and the files, tests, keys, commands and flags that it names exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.docs import pages

FILES = sorted(
    path
    for path in (*pages.ROOT.glob("*.md"), *(pages.ROOT / "docs").rglob("*.md"))
    if path.relative_to(pages.ROOT).as_posix() != "docs/configuration.md"
)


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def page(request: pytest.FixtureRequest) -> pages.Page:
    path: Path = request.param
    return pages.read(path)


def test_links_lead_somewhere(page: pages.Page) -> None:
    assert pages.broken_links(page) == []


def test_paths_and_tests_exist(page: pages.Page) -> None:
    assert pages.missing_paths(page) == []


def test_configuration_keys_exist(page: pages.Page) -> None:
    assert pages.unknown_keys(page) == []


def test_commands_and_flags_exist(page: pages.Page) -> None:
    assert pages.wrong_commands(page) == []


def of(text: str) -> pages.Page:
    return pages.Page("docs/made-up.md", text)


def test_the_checks_see_broken_links() -> None:
    text = (
        "# A page\n[a](naming.md) [b](naming.md#known-limits) [c](#a-page) [d](gone.md) [e](naming.md#gone) [f](#gone)"
    )
    assert [one.split(":")[0] for one in pages.broken_links(of(text))] == [
        "link to gone.md",
        "link to naming.md#gone",
        "link to #gone",
    ]


def test_the_checks_see_missing_files_and_tests() -> None:
    here = "tests/unit/docs/test_pages.py"
    good = f"`{here}` `{here}::test_links_lead_somewhere` `src/nestling/cli` `make lint` `python -m nestling.cli.main`"
    assert pages.missing_paths(of(good)) == []
    bad = f"`tests/unit/gone.py` `{here}::test_gone` `make gone` `python -m nestling.gone`"
    assert len(pages.missing_paths(of(bad))) == 4
    assert len(pages.missing_paths(of("```sh\nmake gone\nNAME=1 make gone\n```\n"))) == 2


@pytest.mark.parametrize(
    "key",
    [
        "sync.toHost.pods",
        "sync.toHost.pods.translateImage.nginx",
        "controlPlane.distro.k8s.{apiServer,scheduler}.extraArgs",
        "controlPlane.distro.k8s.*",
        "exportKubeConfig.additionalSecrets[].name",
        "logging.encoding: json",
        "syncer.env",
        "rbac.authorization.k8s.io",
    ],
)
def test_the_checks_know_keys(key: str) -> None:
    assert pages.unknown_keys(of(f"`{key}`")) == []


@pytest.mark.parametrize(
    "key",
    [
        "sync.toHost.pod",
        "sync.toHost.pods.enabled.more",
        "controlPlane.distro.k8s.{apiServer,gone}.extraArgs",
        "--set sync.toHost.configMap.all=true",
    ],
)
def test_the_checks_see_unknown_keys(key: str) -> None:
    assert len(pages.unknown_keys(of(f"`{key}`"))) == 1
    assert len(pages.unknown_keys(of(f"```sh\nnestling create x {key}\n```\n"))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "nestling create my-vc --set a=b --connect=false",
        "nestling connect my-vc -- kubectl get pods --no-flag-of-ours",
        'X="$(nestling host kubeconfig --path)" kubectl get pods --namespace x',
        "nestling host up   # start it --really",
        "vcluster list --output json | jq --raw .",
        "nestling -n team list -s",
    ],
)
def test_the_checks_know_commands(line: str) -> None:
    assert pages.wrong_commands(of(f"```sh\n{line}\n```\n")) == []


@pytest.mark.parametrize(
    "line",
    [
        "nestling creat my-vc",
        "nestling create my-vc --gone",
        'X="$(nestling host kubeconf)" kubectl get pods',
        "nestling host up \\\n  --gone",
        "X=1 nestling list -q",
    ],
)
def test_the_checks_see_wrong_commands(line: str) -> None:
    assert len(pages.wrong_commands(of(f"```sh\n{line}\n```\n"))) == 1
    assert len(pages.wrong_commands(of(f"```\n{line}\n```\n"))) == 1


def test_commands_within_sentences_are_looked_at() -> None:
    assert pages.wrong_commands(of("Run `nestling describe my-vc` or `nestling host up --nodes 3`.")) == []
    assert len(pages.wrong_commands(of("Run `nestling describ my-vc` or `nestling host up --gone 3`."))) == 2
