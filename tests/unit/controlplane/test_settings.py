from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nestling.controlplane import settings
from tests.unit.controlplane import samples


def test_the_settings_of_the_syncer_survive_their_file() -> None:
    assert settings.from_json(settings.to_json(samples.SYNCER)) == samples.SYNCER


def test_private_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "x"
    settings.write_private(file, "text")
    settings.write_private(file, b"other")
    assert file.read_text() == "other"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_the_namespace_of_the_pod(tmp_path: Path) -> None:
    (tmp_path / "namespace").write_text("team-x\n")
    assert settings.pod_namespace(tmp_path / "namespace") == "team-x"
    with pytest.raises(settings.PreparationError, match="--namespace"):
        settings.pod_namespace(tmp_path / "absent")


@pytest.mark.parametrize(
    ("address", "expected"),
    [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("10.1.2.3", "10.1.2.3"), ("fd00::1", "[fd00::1]")],
)
def test_the_address_of_a_listener_on_its_own_machine(address: str, expected: str) -> None:
    assert settings.loopback(address) == expected


def test_the_state_folder() -> None:
    assert settings.default_state_dir(Path("/data"), None) == Path("/data/run")
    assert settings.default_state_dir(Path("/home/x/vc/data"), Path("/kubeconfig")) == Path("/home/x/vc")


@pytest.mark.parametrize("host_dns", [None, settings.HostDns("10.0.0.10", "10.0.0.10")])
@pytest.mark.parametrize("host", [None, Path("/host.conf")])
def test_what_to_start_survives_its_argument(host: Path | None, host_dns: settings.HostDns | None) -> None:
    start = settings.StartSettings(
        "my-vc", "team-x", Path("/c.yaml"), Path("/data"), Path("/data/run"), host, 8443, host_dns=host_dns
    )
    assert settings.start_from_json(settings.to_json(start, indent=None)) == start
