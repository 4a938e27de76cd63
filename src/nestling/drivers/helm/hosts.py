"""Which cluster the driver works on: a context of the user's kubeconfig, or the embedded host of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nestling.drivers import errors

if TYPE_CHECKING:
    # The client takes a third of a second to load, and a refusal does without.
    from nestling.kube import client as kube_client
    from nestling.kube import kubeconfig

EMBEDDED_PREFIX: Final = "nestling-"
#: Contexts of clusters in a virtual machine of this desktop: this machine reaches ports of their nodes.
DESKTOPS: Final = frozenset({"docker-desktop", "rancher-desktop", "orbstack"})


@dataclasses.dataclass(frozen=True, slots=True)
class HostCluster:
    """One cluster, as one user."""

    paths: tuple[Path, ...]
    """The kubeconfig files."""
    context: str
    """The context in them."""
    label: str
    """Its name in the context names of virtual clusters."""

    def config(self) -> kubeconfig.ClientConfig:
        """Address and credentials; raises ``KubeconfigError``."""
        from nestling.kube import kubeconfig

        return kubeconfig.load(self.paths, context=self.context or None)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[kube_client.Client]:
        """A client with the user's rights."""
        from nestling.kube import client as kube_client

        async with kube_client.Client(self.config(), user_agent="nestling") as client:
            yield client

    def environment(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """What a program needs to read the same kubeconfig."""
        return {**environ, "KUBECONFIG": os.pathsep.join(str(path) for path in self.paths)}

    def arguments(self) -> list[str]:
        """The arguments that make helm work on this cluster."""
        return ["--kube-context", self.context] if self.context else []

    @property
    def embedded(self) -> bool:
        """Whether it is the embedded host of this machine."""
        return self.label.startswith(EMBEDDED_PREFIX)

    @property
    def desktop(self) -> bool:
        """Whether it runs in a virtual machine of this desktop."""
        return self.label in DESKTOPS


def find(
    paths: tuple[Path, ...],
    context: str,
    *,
    known: list[str],
    embedded: Mapping[str, Path],
    nested: bool = False,
) -> HostCluster:
    """The cluster that a context names; raises ``UserError`` when there is none. Pure.

    ``known`` are the contexts of the files, ``embedded`` the kubeconfigs of the embedded hosts that were ever up.
    A virtual cluster's own context stands for the cluster that it is on, unless that is not known, or ``nested`` says
    that the virtual cluster itself is meant.
    """
    virtual = context.startswith("vcluster_") and context.count("_") >= 3
    parent = context.split("_", 3)[3] if virtual and not nested else ""
    for name in filter(None, (parent, context)):
        if name in known:
            return HostCluster(paths, name, name)
        host = name.removeprefix(EMBEDDED_PREFIX)
        if name.startswith(EMBEDDED_PREFIX) and host in embedded:
            return HostCluster((embedded[host],), "", name)
    if not context and "default" in embedded:
        return HostCluster((embedded["default"],), "", f"{EMBEDDED_PREFIX}default")
    listed = ", ".join(str(path) for path in paths)
    if not context:
        raise errors.UserError(
            f"there is no current kubeconfig context ({listed}), and the driver helm needs a cluster to install into; "
            f"choose one with --context NAME, start one on this machine with: nestling host up, or use --driver local"
        )
    there = f"there are: {', '.join(known)}" if known else "there is none at all"
    raise errors.UserError(f'there is no kubeconfig context "{context}" in {listed}; {there}')
