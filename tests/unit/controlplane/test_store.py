from __future__ import annotations

from pathlib import Path

import pytest

from nestling.controlplane import settings, store
from tests.unit.controlplane import samples


def choose(text: str = "", **changes: object) -> store.Store:
    inputs = samples.inputs(text, **changes)
    return store.choose(inputs.config, inputs.syncer, inputs.binaries, log_dir=Path("/data/run/logs"))


def test_etcd_is_the_default() -> None:
    found = choose().component
    assert found is not None
    assert found.name == "etcd"
    expected = {
        "data-dir": "/data/etcd",
        "listen-client-urls": "https://127.0.0.1:2379",
        "listen-peer-urls": "https://127.0.0.1:2380",
        "client-cert-auth": "true",
        "peer-client-cert-auth": "true",
        "name": "my-vc-0",
    }
    assert {name: samples.flag(found.argv, name) for name in expected} == expected
    assert found.ready is not None
    assert found.ready.cert_file == "/data/pki/etcd/healthcheck-client.crt"


def test_embedded_etcd_takes_extra_args_and_snapshot_count() -> None:
    own = "{snapshotCount: 5, extraArgs: [--log-level=info]}"
    found = choose(f"controlPlane: {{backingStore: {{etcd: {{embedded: {own}}}}}}}")
    assert found.component is not None
    assert samples.flag(found.component.argv, "snapshot-count") == "5"
    assert samples.flag(found.component.argv, "log-level") == "info"


def test_deployed_etcd_is_reached_by_its_service() -> None:
    found = choose("controlPlane: {backingStore: {etcd: {deploy: {enabled: true}}}}")
    assert found.component is None
    assert found.api_server_flags["etcd-servers"] == "https://my-vc-etcd:2379"
    assert found.api_server_flags["etcd-cafile"] == "/data/pki/etcd/ca.crt"


def test_deployed_etcd_without_service_is_reached_by_the_headless_one() -> None:
    found = choose("controlPlane: {backingStore: {etcd: {deploy: {enabled: true, service: {enabled: false}}}}}")
    assert found.api_server_flags["etcd-servers"] == "https://my-vc-etcd-headless:2379"


def test_on_a_machine_the_own_etcd_takes_the_place_of_a_deployed_one() -> None:
    found = choose("controlPlane: {backingStore: {etcd: {deploy: {enabled: true}}}}", host_kubeconfig=Path("/host"))
    assert found.component is not None
    assert found.component.name == "etcd"


def test_external_etcd() -> None:
    text = "{enabled: true, endpoint: 'https://e:2379', tls: {caFile: /ca, certFile: /cert, keyFile: /key}}"
    found = choose(f"controlPlane: {{backingStore: {{etcd: {{external: {text}}}}}}}")
    assert found.component is None
    assert dict(found.api_server_flags) == {
        "etcd-servers": "https://e:2379",
        "etcd-cafile": "/ca",
        "etcd-certfile": "/cert",
        "etcd-keyfile": "/key",
    }


def test_embedded_database_runs_kine_on_sqlite() -> None:
    found = choose("controlPlane: {backingStore: {database: {embedded: {enabled: true}}}}")
    assert found.component is not None
    assert found.component.argv[0] == "/binaries/kine"
    assert found.component.env["KINE_ENDPOINT"].startswith("sqlite:///data/state.db?_journal=WAL&")
    assert found.component.ready is not None
    assert found.api_server_flags["etcd-servers"] == "unix:///data/kine.sock"


@pytest.mark.parametrize(
    ("own", "ours"), [("", True), (", dataSource: 'sqlite:///mine.db'", False), (", dataSource: 'mysql://x'", False)]
)
def test_4_sqlite_can_give_room_back_and_is_not_written_anew_at_each_start(own: str, ours: bool) -> None:
    text = f"controlPlane: {{backingStore: {{database: {{embedded: {{enabled: true{own}}}}}}}}}"
    found = choose(text).component
    assert found is not None
    source = found.env["KINE_ENDPOINT"]
    assert ("_vacuum=incremental" in source) is ours
    assert ("_kine_disable_startup_vacuum=true" in source) is ours
    assert store.uses_sqlite(samples.config(text), local=False) is ours


def test_other_stores_are_no_sqlite() -> None:
    database = f"database: {{external: {external('mysql://x')}}}"
    for text in ("", f"controlPlane: {{backingStore: {{{database}}}}}"):
        assert not store.uses_sqlite(samples.config(text), local=False)


def test_an_external_database_is_named_where_only_kine_sees_its_password() -> None:
    source = "mysql://user:password@tcp(db:3306)/name"
    found = choose(f"controlPlane: {{backingStore: {{database: {{external: {external(source)}}}}}}}").component
    assert found is not None
    assert found.env["KINE_ENDPOINT"] == source
    assert "password" not in " ".join(found.argv)
    assert samples.flag(found.argv, "ca-file") == "/ca.crt"


def test_an_external_database_of_another_kind_is_refused_with_what_to_write() -> None:
    text = f"controlPlane: {{backingStore: {{database: {{external: {external('oracle://x')}}}}}}}"
    with pytest.raises(settings.PreparationError, match=r"external\.dataSource: no known database; write mysql://"):
        choose(text)


def external(source: str) -> str:
    return f"{{enabled: true, dataSource: '{source}', caFile: /ca.crt}}"


def test_a_socket_that_no_system_can_open_is_refused() -> None:
    folder = Path("/", "x" * 110)
    with pytest.raises(settings.PreparationError, match="too long a path"):
        choose("controlPlane: {backingStore: {database: {embedded: {enabled: true}}}}", data_dir=folder)


@pytest.mark.parametrize(
    ("text", "files", "kine"),
    [
        ("", ["state.db"], True),
        ("", [], False),
        ("", ["state.db", "etcd/member/wal"], False),
        ("controlPlane: {backingStore: {etcd: {embedded: {enabled: true}}}}", ["state.db"], False),
    ],
)
def test_a_database_that_is_there_stays_the_store(text: str, files: list[str], kine: bool, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    config = store.keep_database(samples.config(text), tmp_path)
    assert (store.binary(config, local=False) == store.KINE) is kine


EXTERNAL = "controlPlane: {backingStore: {etcd: {external: {enabled: true, endpoint: 'https://e:2379'}}}}"
MYSQL = "controlPlane: {backingStore: {database: {external: {enabled: true, dataSource: 'mysql://h/n'}}}}"


@pytest.mark.parametrize(
    ("file", "text", "asked"),
    [
        ("etcd/member/wal", "", None),
        ("etcd/member/wal", "controlPlane: {backingStore: {database: {embedded: {enabled: true}}}}", "SQLite"),
        ("etcd/member/wal", EXTERNAL, "a store elsewhere"),
        ("state.db", "", None),
        ("state.db", "controlPlane: {backingStore: {etcd: {embedded: {enabled: true}}}}", "etcd"),
        ("state.db", MYSQL, "a store elsewhere"),
        ("pki/ca.crt", EXTERNAL, None),
    ],
)
def test_50_a_start_with_another_store_than_the_data_is_in_is_refused(
    file: str, text: str, asked: str | None, tmp_path: Path
) -> None:
    """It would begin with nothing, and take all that the host has for left over."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("data")
    config = store.keep_database(samples.config(text), tmp_path)
    if asked is None:
        store.check_data(config, tmp_path, local=False)
    else:
        with pytest.raises(settings.PreparationError, match=f"asks for {asked}, which would be empty"):
            store.check_data(config, tmp_path, local=False)
