"""``nestling create``."""

from __future__ import annotations

import sys
from typing import Any

import click

from nestling.cli import arguments, cobra, runner, ui

EXAMPLES = """
# A virtual cluster with the default values; the kubeconfig is switched to it
nestling create my-vc

# Values from files, from stdin and from the command line; what comes later wins
nestling create my-vc -f vcluster.yaml -f - --set sync.toHost.ingresses.enabled=true

# Another Kubernetes version, without touching the kubeconfig
nestling create my-vc --kubernetes-version 1.34 --connect=false

# The kubeconfig on stdout
nestling create my-vc --print > my-vc.kubeconfig

# Change the values of a virtual cluster that exists
nestling create my-vc --upgrade -f vcluster.yaml
"""

#: Flags that say who or what a virtual cluster is for in the platform, or how the platform makes it.
PLATFORM = ("--project", "--cluster", "--template", "--template-version", "--params", "--parameters", "--set-param")
PLATFORM_NOTES = ("--set-params", "-l/--labels", "--annotations", "--link", "--description", "--display-name")


@click.command("create", cls=cobra.Command, examples=EXAMPLES)
@click.argument("name", metavar="NAME")
@click.option("-f", "--values", multiple=True, metavar="FILE", help="Values: a file, - for stdin, or base64 of YAML")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="One value, for example a.b=c; may be repeated")
@click.option("--kubernetes-version", metavar="VERSION", help="Kubernetes of the virtual cluster, for example 1.34")
@cobra.flag("--connect", default=True, help="Switch the kubeconfig to the virtual cluster")
@cobra.flag("--print", "print_", help="Print the kubeconfig on stdout and leave the kubeconfig files alone")
@cobra.flag("--upgrade", help="If it exists, apply the values to it")
@cobra.flag("--create-namespace", default=True, help="Create the namespace on the host if it does not exist")
@cobra.flag("--update-current", default=True, help="Make the new context current", hidden=True)
@click.option("--kube-config-context-name", metavar="NAME", help="Name of the kubeconfig context")
@click.option("--restore", metavar="URL", help="Restore a snapshot into the new virtual cluster: not available yet")
@arguments.ignored(
    arguments.NO_CHART,
    *("--chart-name", "--chart-repo", "--chart-version", "--local-chart-dir"),
    switches=("--expose", "--expose-local"),
)
@arguments.ignored(arguments.NO_PROXY, "--background-proxy-image", switches=("--background-proxy",))
@arguments.ignored("snapshots are not available yet", "--snapshot-temp-dir")
@arguments.ignored(
    arguments.NO_PLATFORM,
    *(*PLATFORM, *PLATFORM_NOTES, "--team", "--user"),
    switches=("--add", "--use", "--recreate", "--skip-wait"),
)
@click.pass_context
def command(ctx: click.Context, /, name: str, **flags: Any) -> None:
    """Create a virtual cluster.

    Without a host cluster at hand, the embedded host of this machine is started first. The virtual cluster goes into
    the
    namespace vcluster-NAME unless -n says otherwise.
    """
    from nestling.lifecycle import connect, create, values

    if flags["restore"]:
        raise click.ClickException(
            "--restore: snapshots are not available yet, and a virtual cluster without its data would not be what was "
            "asked for. Leave the flag out to create an empty one"
        )
    wish = create.Wish(
        name=name,
        sources=values.sources(flags["values"], stdin=sys.stdin),
        sets=flags["sets"],
        kubernetes_version=flags["kubernetes_version"],
        upgrade=flags["upgrade"],
        create_namespace=flags["create_namespace"],
    )
    current = runner.new_session(ctx)
    arguments.say_ignored(ctx, current.reporter)
    request = create.check(wish, namespace=current.namespace)
    with runner.terminable():
        current.driver.fetch(request, current.reporter)
    access = connect.Access(context_name=flags["kube_config_context_name"])
    if flags["print_"]:
        ui.emit(runner.run(create.create_and_print(request, current, access)))
    elif flags["connect"]:
        runner.run(create.create_and_connect(request, current, access, make_current=flags["update_current"]))
    else:
        runner.run(create.create(request, current))
