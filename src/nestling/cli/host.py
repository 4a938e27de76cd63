"""``nestling host``: the embedded host cluster of this machine."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from nestling.cli import binaries, cobra, runner, settings, ui

EXAMPLES = """
nestling host up
nestling host up --nodes 5 --kubernetes-version 1.34
nestling host up --node containerd
nestling host load-image image.tar
nestling host status
kubectl --kubeconfig "$(nestling host kubeconfig --path)" get pods -A
nestling host down
nestling host down --delete
"""

UP = """
nestling host up
nestling host up --nodes 5 --kubernetes-version 1.34
"""
LOAD_IMAGE = """
docker save my-app:1 -o image.tar && nestling host load-image image.tar
"""
DOWN = """
# Stop it and keep its data
nestling host down

# Remove it with its data, while no virtual cluster lives on it
nestling host down --delete

# With all virtual clusters on it
nestling host down --delete --force
"""
STATUS = """
nestling host status
nestling host status -o json | jq -r .state
"""
KUBECONFIG = """
nestling host kubeconfig > host.kubeconfig
kubectl --kubeconfig "$(nestling host kubeconfig --path)" get pods -A
"""

_NAME = click.option("--name", default="default", show_default=True, help="Which embedded host")


@click.group("host", cls=cobra.Group, examples=EXAMPLES)
def command() -> None:
    """Run the embedded host cluster of this machine.

    It is made of the stock etcd, API server, controller manager and scheduler as local processes. Its node is a real
    one (containerd, kubelet, kube-proxy) where root and Linux allow it and its programs are there, else its nodes are
    simulated: pods become Running, and no container runs.
    """


@command.command("up", cls=cobra.Command, examples=UP)
@_NAME
@click.option("--kubernetes-version", metavar="VERSION", help="Kubernetes version of the host, like 1.34")
@click.option("--nodes", type=int, metavar="N", help="Number of simulated nodes (default: 2, or as before)")
@click.option("--service-cidr", metavar="CIDR", help="Addresses of Services, fixed when the host is made")
@click.option("--audit/--no-audit", default=None, help="Write an audit log (who did what, no contents)")
@click.option(
    "--node",
    type=click.Choice(["containerd", "simulated", "auto"]),
    metavar="KIND",
    help="containerd: one real node; simulated; auto: real where possible (default: auto, or as before)",
)
@click.pass_obj
def up(
    state: settings.Settings,
    name: str,
    *,
    kubernetes_version: str | None,
    nodes: int | None,
    service_cidr: str | None,
    audit: bool | None,
    node: str | None,
) -> None:
    """Start the host, making it when it is not there; its data of earlier is back. Does nothing to one that is up."""
    from nestling.local import decide
    from nestling.local import host as host_module

    reporter = ui.reporter(state)
    options = decide.Options(
        kubernetes_version=kubernetes_version, nodes=nodes, service_cidr=service_cidr, audit=audit, node=node
    )
    host = host_module.Host(name)
    info = runner.run(host.up(reporter, options=options, fetching=binaries.progress(state)))
    state_now = "is up" if info.started else "was up already"
    reporter.done(
        f"The embedded host {name} {state_now}: Kubernetes {info.kubernetes_version}, "
        f"{'a real node' if info.node == 'containerd' else f'{info.nodes} simulated nodes'}, {info.server}"
    )
    reporter.info(f"To use it directly: export KUBECONFIG={info.kubeconfig}")


@command.command("down", cls=cobra.Command, examples=DOWN)
@_NAME
@cobra.flag("--delete", help="Remove its data too")
@cobra.flag("--force", help="With --delete: with all virtual clusters on it")
@click.pass_obj
def down(state: settings.Settings, name: str, *, delete: bool, force: bool) -> None:
    """Stop the host and keep its data, unless --delete is given."""
    if force and not delete:
        raise click.UsageError("--force belongs to --delete")
    reporter = ui.reporter(state)
    if delete:
        from nestling.lifecycle import host as ending
        from nestling.lifecycle import kubeconfig_file

        done = runner.run(ending.remove(name, kubeconfig_file.Files.from_env(), reporter, force=force))
        reporter.info(
            f"The embedded host {name} and its data are gone" if done else f"There is no embedded host {name}"
        )
        return
    from nestling.local import host as host_module

    done = runner.run(host_module.Host(name).down(reporter))
    reporter.info(
        f"The embedded host {name} is down; its data is kept" if done else f"The embedded host {name} is not up"
    )


@command.command("load-image", cls=cobra.Command, examples=LOAD_IMAGE)
@_NAME
@click.argument("archive", type=click.Path(exists=True, dir_okay=False))
@click.pass_obj
def load_image(state: settings.Settings, archive: str, name: str) -> None:
    """Load container images from an OCI or Docker archive into the real node: no registry is needed for them then."""
    import pathlib

    from nestling.local import host as host_module

    for image in runner.run(host_module.Host(name).load_image(pathlib.Path(archive))):
        ui.reporter(state).done(f"Loaded {image}")


@command.command("status", cls=cobra.Command, examples=STATUS)
@_NAME
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    metavar="FORM",
    help="table, json or yaml",
)
def status(name: str, output: str) -> int:
    """Show the host and each of its parts. The exit code is 0 when all is well, else 1."""
    from nestling.local import host as host_module

    found = runner.run(host_module.Host(name).status())
    ui.emit(_FORMS[output](dataclasses.asdict(found)))
    return 0 if found.state == "running" else 1


@command.command("kubeconfig", cls=cobra.Command, examples=KUBECONFIG)
@_NAME
@cobra.flag("--path", help="Print the path of the file instead of its content")
def kubeconfig(name: str, *, path: bool) -> None:
    """Print the kubeconfig of the host's administrator."""
    from nestling.local import host as host_module

    host = host_module.Host(name)
    # Raises for a host that is not there, where the file would only be missing.
    _ = host.record
    ui.emit(str(host.kubeconfig_path) if path else host.kubeconfig_path.read_text(encoding="utf-8"))


def _as_yaml(found: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(json.loads(json.dumps(found)), sort_keys=False))


def _as_table(found: dict[str, Any]) -> str:
    lines = [("Host", found["name"]), ("State", found["state"])]
    if found["state"] == "absent":
        return _columns([*lines, ("Make it", "nestling host up")])
    lines += [("Kubernetes", found["kubernetes_version"]), ("Server", found["server"]), ("Folder", found["folder"])]
    lines.append(("Nodes", _nodes(found)))
    lines.append(("Virtual clusters", ", ".join(found["virtual_clusters"]) or "none"))
    page = _columns(lines)
    if not found["parts"]:
        return page
    head = ("PART", "STATE", "PID", "PORT", "RESTARTS", "SINCE", "MESSAGE")
    rows = [
        (part["name"], part["state"], part["pid"], part["port"], part["restarts"], part["since"][:19], part["message"])
        for part in found["parts"]
    ]
    return page + "\n\n" + _columns([head, *rows])


def _nodes(found: dict[str, Any]) -> str:
    kind = "real" if found["node"] == "containerd" else "simulated"
    if found["nodes"] is None:
        return f"{found['wanted_nodes']} {kind}"
    ready = sum(node["ready"] for node in found["nodes"])
    return f"{ready} of {found['wanted_nodes']} {kind} nodes ready"


def _columns(rows: list[Any]) -> str:
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


_FORMS = {"json": lambda found: json.dumps(found, indent=4), "yaml": _as_yaml, "table": _as_table}
