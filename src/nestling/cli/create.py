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

# In the cluster of the current context, behind a load balancer
nestling create my-vc --driver helm --expose

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
@arguments.helm_flag(arguments.NO_CHART, "--expose", default=False, help="Make its Service a load balancer")
@arguments.of_helm(arguments.NO_CHART, "--chart-name", metavar="NAME", help="Another chart of --chart-repo")
@arguments.of_helm(arguments.NO_CHART, "--chart-repo", metavar="URL", help="Take the chart from this repository")
@arguments.of_helm(
    arguments.NO_CHART, "--chart-version", metavar="VERSION", help="Version of the chart in --chart-repo"
)
@arguments.of_helm(arguments.NO_CHART, "--local-chart-dir", metavar="FOLDER", help="A chart in a folder", hidden=True)
@arguments.helm_flag(
    arguments.NO_CHART, "--expose-local", default=True, help="A node port, on a cluster of a desktop", hidden=True
)
@arguments.helm_flag(arguments.NO_PROXY, "--background-proxy", default=True, help=arguments.BACKGROUND)
@arguments.ignored(arguments.NO_CONTAINER, "--background-proxy-image")
@arguments.ignored("snapshots are not available yet", "--snapshot-temp-dir")
@arguments.ignored(
    arguments.NO_PLATFORM,
    *(*PLATFORM, *PLATFORM_NOTES, "--team", "--user"),
    switches=("--add", "--use", "--recreate", "--skip-wait"),
)
@click.pass_context
def command(ctx: click.Context, /, name: str, **flags: Any) -> None:
    """Create a virtual cluster.

    With a current kubeconfig context it is installed into that cluster with Helm. Without one, or with --driver local,
    it runs as processes of this machine, on an embedded host that is started first. It goes into the namespace
    vcluster-NAME unless -n or the context says otherwise.
    """
    from nestling.drivers import base
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
        expose=flags["expose"],
        expose_local=flags["expose_local"],
        chart=base.Chart(
            name=flags["chart_name"] or "",
            repository=flags["chart_repo"] or "",
            version=flags["chart_version"] or "",
            folder=flags["local_chart_dir"] or "",
        ),
    )
    current = runner.new_session(ctx)
    # Of two drivers the first one creates.
    arguments.say_ignored(ctx, current.reporter, driver=current.driver.name.split(" ")[0])
    request = create.check(wish, namespace=current.namespace or current.driver.own_namespace())
    with runner.terminable():
        current.driver.fetch(request, current.reporter)
    access = connect.Access(context_name=flags["kube_config_context_name"], background=flags["background_proxy"])
    if flags["print_"]:
        ui.emit(runner.run(create.create_and_print(request, current, access)))
    elif flags["connect"]:
        runner.run(create.create_and_connect(request, current, access, make_current=flags["update_current"]))
    else:
        runner.run(create.create(request, current))
