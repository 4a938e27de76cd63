"""A shell beside the control plane: an ephemeral container in its pod, made and attached to by kubectl (spec §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nestling.drivers import base, errors
from nestling.drivers.helm import hosts, workloads
from nestling.kube.resource import Obj


def command(
    host: hosts.HostCluster,
    cluster: base.VirtualCluster,
    pods: Sequence[Obj],
    wanted: base.Shell,
    environ: Mapping[str, str],
) -> base.Command:
    """The command line; raises ``UserError`` when there is no such pod or container. Pure.

    The profile lets the shell see the processes and files of the container that it is beside.
    """
    pod = _pod(cluster, pods, wanted)
    context = ["--context", host.context] if host.context else []
    terminal = ["--stdin", "--tty"] if wanted.terminal else ["--stdin"]
    words = [
        *("kubectl", *context, "-n", cluster.namespace, "debug", f"pod/{pod['metadata']['name']}", *terminal),
        *("--quiet", "--attach", f"--image={wanted.image}", f"--target={wanted.target}", "--profile=general"),
        *("--", *wanted.words),
    ]
    return base.Command(words, host.environment(environ))


def _pod(cluster: base.VirtualCluster, pods: Sequence[Obj], wanted: base.Shell) -> Obj:
    """The pod that was named, else one that is ready, else one that runs."""
    by_name = {pod["metadata"]["name"]: pod for pod in pods}
    if wanted.pod:
        if wanted.pod not in by_name:
            raise errors.UserError(
                f"--pod {wanted.pod} is no pod of the control plane of {cluster.name}; it has: "
                f"{', '.join(sorted(by_name)) or 'none'}"
            )
        found: Obj | None = by_name[wanted.pod]
    else:
        running = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"]
        found = next((pod for pod in running if workloads.is_ready(pod)), running[0] if running else None)
    if found is None:
        raise errors.UserError(
            f"the control plane of {cluster.name} has no pod that runs ({cluster.status}); start it with: "
            f"nestling resume {cluster.name}, or look at it with: nestling debug collect {cluster.name}"
        )
    names = [one["name"] for one in found["spec"]["containers"]]
    if wanted.target not in names:
        raise errors.UserError(f"--target {wanted.target} is no container of that pod; it has: {', '.join(names)}")
    return found
