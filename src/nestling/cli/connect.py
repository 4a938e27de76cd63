"""``nestling connect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nestling.cli import arguments, cobra, completing, runner, ui

EXAMPLES = """
# Switch the kubeconfig to the virtual cluster; disconnect switches back
nestling connect my-vc

# Run one command against it and leave the kubeconfig alone
nestling connect my-vc -- kubectl get namespaces

# Its kubeconfig on stdout
nestling connect my-vc --print > my-vc.kubeconfig

# Log in as a service account with rights of its own, for an hour
nestling connect my-vc --service-account ci --cluster-role view --token-expiration 3600
"""


@click.command("connect", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME", shell_complete=completing.clusters)
@click.argument("words", metavar="[-- COMMAND ...]", nargs=-1, type=click.UNPROCESSED)
@cobra.flag("--print", "print_", help="Print the kubeconfig on stdout and leave the kubeconfig files alone")
@click.option("--server", metavar="URL", help="Address of the API server to write into the kubeconfig")
@cobra.flag("--insecure", help="Do not check the API server's certificate")
@click.option("--service-account", metavar="[NAMESPACE/]NAME", help="Log in as this account, created if need be")
@click.option("--cluster-role", metavar="NAME", help="Bind the service account to this ClusterRole")
@click.option("--token-expiration", type=click.IntRange(0), default=0, metavar="SECONDS", help="Life of its token")
@click.option("--kube-config-context-name", metavar="NAME", help="Name of the kubeconfig context")
@cobra.flag("--update-current", default=True, help="Make the context current", hidden=True)
@click.option(
    "--kube-config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the kubeconfig into this file instead",
    hidden=True,
)
@arguments.helm_flag(arguments.NO_PROXY, "--background-proxy", default=True, help=arguments.BACKGROUND)
@arguments.of_helm(
    arguments.NO_PROXY, "--local-port", type=click.IntRange(1, 65535), metavar="PORT", help="Forward this local port"
)
@arguments.of_helm(arguments.NO_PROXY, "--address", metavar="ADDRESS", help="Listen on this local address")
@arguments.of_helm(arguments.NO_PROXY, "--pod", metavar="NAME", help="Forward to this pod of the control plane")
@arguments.ignored(arguments.NO_CONTAINER, "--background-proxy-image")
@arguments.ignored(arguments.NO_PLATFORM, "--project")
@click.pass_context
def command(ctx: click.Context, /, name: str, words: tuple[str, ...], **flags: Any) -> int:
    """Use a virtual cluster.

    Adds a context to the kubeconfig and makes it current. After -- comes a command that runs with a private kubeconfig
    instead; its exit code is passed on. Control planes that do not run, after a pause or a reboot, are started.

    With the driver helm, the way is a load balancer, an ingress or a node port that answers; else a port is forwarded
    by a process in the background, until disconnect or delete.
    """
    from nestling.lifecycle import connect

    if flags["cluster_role"] and not flags["service_account"]:
        raise click.UsageError("--cluster-role needs --service-account: it is bound to that account", ctx=ctx)
    current = runner.new_session(ctx)
    arguments.say_ignored(ctx, current.reporter, driver=current.driver.name)
    access = connect.Access(
        server=flags["server"],
        insecure=flags["insecure"],
        service_account=flags["service_account"],
        cluster_role=flags["cluster_role"],
        token_expiration=flags["token_expiration"],
        context_name=flags["kube_config_context_name"],
        background=flags["background_proxy"],
        local_port=flags["local_port"] or 0,
        address=flags["address"] or "",
        pod=flags["pod"] or "",
    )
    if words:
        return runner.run(connect.connect_and_run(current, name, access, words))
    if flags["print_"]:
        ui.emit(runner.run(connect.connect_and_print(current, name, access)))
    elif flags["kube_config"]:
        runner.run(connect.connect_into_file(current, name, access, flags["kube_config"].absolute()))
    else:
        runner.run(connect.connect(current, name, access, make_current=flags["update_current"]))
    return 0
