"""``nestling start``: the process of a virtual control plane, in a pod or on a machine."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nestling.cli import cobra
from nestling.cli import settings as cli_settings
from nestling.controlplane import settings as settings_module

EXAMPLES = """
nestling start --config vcluster.yaml --name my-vc --namespace team-a --data-dir ./data --host-kubeconfig host.conf
"""


@click.command("start", cls=cobra.Command, examples=EXAMPLES)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=settings_module.POD_CONFIG,
    show_default=True,
    help="The vcluster.yaml of this virtual cluster.",
)
@click.option("--name", envvar="VCLUSTER_NAME", required=True, help="Name of the virtual cluster.")
@click.option("--namespace", envvar="NAMESPACE", help="Host namespace; in a pod the pod's own.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=settings_module.POD_DATA,
    show_default=True,
    help="Folder of certificates and etcd data.",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of plan, status and logs; the parent of the data folder on a machine, DATA/run in a pod.",
)
@click.option(
    "--host-kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Access to the host cluster; without it the pod's service account is used.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API server; default controlPlane.proxy.port.")
@click.option("--bind-address", help="Its address; default controlPlane.proxy.bindAddress.")
@click.option("--log-format", type=click.Choice(["json", "console"]), help="Default: logging.encoding.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    config_file: Path,
    name: str,
    namespace: str | None,
    data_dir: Path,
    state_dir: Path | None,
    host_kubeconfig: Path | None,
    port: int | None,
    bind_address: str | None,
    log_format: str | None,
) -> None:
    """Prepare a virtual control plane (configuration, host access, certificates), then supervise its processes."""
    from nestling.cli import preparing
    from nestling.controlplane import handover

    try:
        settings = settings_module.StartSettings(
            name=name,
            namespace=namespace or settings_module.pod_namespace(),
            config_file=config_file,
            data_dir=data_dir.absolute(),
            state_dir=(state_dir or settings_module.default_state_dir(data_dir, host_kubeconfig)).absolute(),
            host_kubeconfig=host_kubeconfig,
            port=port,
            bind_address=bind_address,
            log_format=log_format,
            pod_ip=os.environ.get("POD_IP"),
        )
    except settings_module.PreparationError as error:
        raise click.ClickException(str(error)) from error
    handover.begin(preparing.component(settings, cli_settings.of(ctx)), str(Path.cwd()))
