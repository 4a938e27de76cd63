"""What a verb needs from the place where virtual clusters run.

A driver knows its own machinery and nothing of the user's kubeconfig; :mod:`nestling.lifecycle` does the rest, the
same for every driver.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    # The models take half a second, and most verbs never look at a configuration.
    from nestling.config import model
    from nestling.kube.resource import Obj


class Reporter(Protocol):
    """Where progress goes; the command line implements it."""

    def info(self, message: str) -> None:
        """Something that goes on."""

    def done(self, message: str) -> None:
        """Something that succeeded."""

    def warn(self, message: str) -> None:
        """Something that the user should know."""

    def debug(self, message: str) -> None:
        """A detail."""

    def step(self, text: str) -> contextlib.AbstractContextManager[None]:
        """A step that takes time."""


@dataclasses.dataclass(frozen=True, slots=True)
class VirtualCluster:
    """One virtual cluster, as ``list`` shows it."""

    name: str
    namespace: str
    host_context: str
    """Name of the host cluster in kubeconfig context names."""
    status: str
    """``Running``, ``Paused``, ``ScaledDown``, ``Pending``, ``Failed`` or ``Unknown`` (spec §7)."""
    version: str
    """Version of Nestling (or vCluster) that created it."""
    created: datetime.datetime
    kubernetes_version: str = ""
    server: str = ""
    """Address of the virtual API server as this machine reaches it."""
    detail: str = ""
    """Why it is not running, when that is known."""
    image_tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Tags of the images that it runs, where it runs in pods: ``api`` and ``syncer`` (spec §7)."""

    @property
    def context_name(self) -> str:
        """The name of its kubeconfig context (spec §7)."""
        return f"vcluster_{self.name}_{self.namespace}_{self.host_context}"


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """Which Helm chart is installed; the one of this package unless something else is named."""

    name: str = ""
    repository: str = ""
    version: str = ""
    folder: str = ""


OWN_CHART: Final = Chart()


@dataclasses.dataclass(frozen=True, slots=True)
class CreateRequest:
    """What ``create`` was asked for, already validated."""

    name: str
    namespace: str
    config: model.VClusterConfig
    values: str
    """The merged values as YAML: what the virtual control plane reads."""
    user_values: str = ""
    """What the user wrote, for ``describe``."""
    upgrade: bool = False
    create_namespace: bool = True
    chart: Chart = OWN_CHART
    expose_local: bool = True
    """On a cluster of a desktop, expose it on a port of the node, which this machine reaches."""


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How the user wants to reach a virtual API server."""

    server: str | None = None
    """An address of which the user says that it leads there: nothing is looked for, nothing forwarded."""
    background: bool = True
    """Where a port has to be forwarded: by a process that goes on behind this command."""
    local_port: int = 0
    address: str = ""
    pod: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """An administrator's kubeconfig whose server this machine can reach."""

    config: Obj
    held: bool = False
    """Whether the server can be reached only as long as this command runs."""


@dataclasses.dataclass(frozen=True, slots=True)
class DeleteRequest:
    """What ``delete`` was asked for."""

    wait: bool = True
    keep_pvc: bool = False
    delete_namespace: bool = False
    auto_delete_namespace: bool = True
    delete_configmap: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnosis:
    """What ``debug collect`` was asked for."""

    release: bool = True
    """The configuration, the record and the command lines."""
    logs: bool = True
    host_info: bool = True
    virtual_info: bool = True
    count: bool = True
    """How many objects of each resource the virtual cluster holds."""
    host_resources: Sequence[str] = ()
    """Further resources, by name or short name, ``ingresses`` or ``ingresses.networking.k8s.io``."""
    virtual_resources: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """One file of a diagnosis: text, or objects and other plain values."""

    path: str
    content: str | Obj


@dataclasses.dataclass(frozen=True, slots=True)
class Shell:
    """What ``debug shell`` was asked for."""

    image: str
    words: Sequence[str] = ("sh",)
    pod: str = ""
    """The pod of the control plane; empty for one that is ready."""
    target: str = "syncer"
    """The container whose processes the shell sees."""
    terminal: bool = False
    """Whether somebody types."""


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments and environment."""

    words: Sequence[str]
    environ: Mapping[str, str] = dataclasses.field(repr=False)


class Driver(Protocol):
    """A place where virtual clusters run. Every method raises ``UserError`` for what the user can mend."""

    @property
    def name(self) -> str:
        """``local`` or ``helm``."""

    def own_namespace(self) -> str | None:
        """The namespace of the host in which the user works; None when there is none to prefer."""

    def fetch(self, request: CreateRequest, reporter: Reporter) -> None:
        """Get what has to be downloaded or built first. Not async: it may take minutes, and Ctrl-C must end it at
        once."""

    async def clusters(self, namespace: str | None = None) -> list[VirtualCluster]:
        """All virtual clusters, or those of one namespace; half-made ones too."""

    async def create(self, request: CreateRequest, reporter: Reporter) -> VirtualCluster:
        """Create and wait for a usable API; on any failure nothing of this run is left."""

    async def upgrade(self, cluster: VirtualCluster, request: CreateRequest, reporter: Reporter) -> VirtualCluster:
        """Apply changed values to an existing virtual cluster."""

    async def ensure_running(self, cluster: VirtualCluster, reporter: Reporter) -> VirtualCluster:
        """Start what does not run: after a pause or a reboot. Returns once the API is usable."""

    async def pause(self, cluster: VirtualCluster, reporter: Reporter) -> None:
        """Stop the control plane and its workloads; keep the data."""

    async def delete(self, cluster: VirtualCluster, request: DeleteRequest, reporter: Reporter) -> Sequence[str]:
        """Remove everything of it; returns what is left after waiting, in words."""

    def reach(
        self, cluster: VirtualCluster, way: Way, reporter: Reporter
    ) -> contextlib.AbstractAsyncContextManager[Reached]:
        """Make a running virtual cluster reachable, at least while the context is open."""

    async def command_environment(
        self, program: str, environ: Mapping[str, str], reporter: Reporter
    ) -> Mapping[str, str]:
        """The environment for a command of the user; kubectl and helm are found in it even when they are not
        installed."""

    async def values(self, cluster: VirtualCluster) -> str:
        """The values that the user gave."""

    async def certificates(self, cluster: VirtualCluster) -> Mapping[str, bytes]:
        """The certificates of its control plane as PEM, by the file that holds them; running or not."""

    async def rotate_certificates(self, cluster: VirtualCluster, *, authorities: bool, reporter: Reporter) -> str:
        """Make all certificates new, with ``authorities`` those that sign them too; returns where the old ones are.

        Whatever interrupts it, the virtual cluster has either the old or the new ones.
        """

    async def syncer(self, cluster: VirtualCluster, path: str) -> bytes:
        """What the syncer process answers at ``/status`` or ``/metrics``; raises ``UserError`` when it does not."""

    async def shell(self, cluster: VirtualCluster, wanted: Shell, environ: Mapping[str, str]) -> Command:
        """The command that opens a shell beside the control plane."""

    def diagnose(self, cluster: VirtualCluster, wanted: Diagnosis) -> AsyncIterator[Piece]:
        """Everything that helps to find a fault, piece by piece, nothing redacted yet.

        What cannot be read is a piece too, which says why: the fault may be the reason.
        """
