from __future__ import annotations

import pytest

from tests.unit.config.support import config, problem


def test_the_two_forms_of_further_secrets_exclude_each_other() -> None:
    found = problem("exportKubeConfig: {secret: {name: a}, additionalSecrets: [{name: b}]}")
    assert found.path == "exportKubeConfig.secret"
    assert "additionalSecrets" in found.message


def test_a_further_secret_has_a_name_or_a_namespace() -> None:
    config("exportKubeConfig: {additionalSecrets: [{name: a}, {namespace: b}]}")
    found = problem("exportKubeConfig: {additionalSecrets: [{name: a}, {context: b}]}")
    assert (found.path, found.message) == ("exportKubeConfig.additionalSecrets[1]", "names no Secret")


def test_a_cluster_role_needs_a_service_account() -> None:
    assert problem("exportKubeConfig: {serviceAccount: {clusterRole: admin}}").path == (
        "exportKubeConfig.serviceAccount.name"
    )
    text = "exportKubeConfig: {additionalSecrets: [{name: x, serviceAccount: {clusterRole: admin}}]}"
    assert problem(text).path == "exportKubeConfig.additionalSecrets[0].serviceAccount.name"


@pytest.mark.parametrize("server", ["vc.example.com", "http://vc.example.com", "https://", "https://a:b"])
def test_the_server_is_an_https_address(server: str) -> None:
    assert problem(f"exportKubeConfig: {{server: '{server}'}}").path == "exportKubeConfig.server"


def test_good_servers_pass() -> None:
    config("exportKubeConfig: {server: 'https://[::1]:8443', additionalSecrets: [{name: a, server: 'https://b'}]}")


def test_the_server_of_a_further_secret_is_checked_too() -> None:
    found = problem("exportKubeConfig: {additionalSecrets: [{name: a, server: vc.example.com}]}")
    assert (found.path, found.hint) == ("exportKubeConfig.additionalSecrets[0].server", "write https://vc.example.com")
