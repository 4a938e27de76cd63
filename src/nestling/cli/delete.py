"""``nestling delete``."""

from __future__ import annotations

from typing import Any

import click

from nestling.cli import arguments, cobra, completing, runner

EXAMPLES = """
nestling delete my-vc
nestling delete my-vc other-vc --ignore-not-found
nestling delete my-vc -n team-a --keep-pvc
"""


@click.command("delete", cls=cobra.Command, examples=EXAMPLES)
@click.argument("clusters", metavar="NAME ...", nargs=-1, required=True, shell_complete=completing.clusters)
@cobra.flag("--wait", default=True, help="Wait until everything is gone")
@cobra.flag("--delete-context", default=True, help="Remove its contexts from the kubeconfig")
@cobra.flag(
    "--keep-pvc", help="Keep the control plane's own claims and the namespace; the claims of tenants go all the same"
)
@cobra.flag("--delete-namespace", help="Delete its namespace on the host, whoever made it")
@cobra.flag("--auto-delete-namespace", default=True, help="Delete its namespace if create made it")
@cobra.flag("--ignore-not-found", help="Do not fail if there is none of that name")
@arguments.ignored("nothing is kept in a ConfigMap on the host", switches=("--delete-configmap",))
@arguments.ignored(arguments.NO_PLATFORM, "--project")
@click.pass_context
def command(ctx: click.Context, /, clusters: tuple[str, ...], **flags: Any) -> None:
    """Delete virtual clusters and everything that belongs to them: on the host, in the kubeconfig, on this machine."""
    from nestling.drivers import base
    from nestling.lifecycle import delete

    current = runner.new_session(ctx)
    arguments.say_ignored(ctx, current.reporter)
    request = base.DeleteRequest(
        wait=flags["wait"],
        keep_pvc=flags["keep_pvc"],
        delete_namespace=flags["delete_namespace"],
        auto_delete_namespace=flags["auto_delete_namespace"],
    )
    runner.run(
        delete.delete_all(
            current,
            clusters,
            request,
            delete_context=flags["delete_context"],
            ignore_not_found=flags["ignore_not_found"],
        )
    )
