"""Files in the folder of one embedded host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below `hosts/<name>/`."""

    folder: Path

    @property
    def pki(self) -> Path:
        """Certificates and kubeconfigs."""
        return self.folder / "pki"

    @property
    def etcd(self) -> Path:
        """All data of the cluster."""
        return self.folder / "etcd"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.folder / "logs"

    @property
    def config(self) -> Path:
        """Configuration files of the components."""
        return self.folder / "config"

    @property
    def plan(self) -> Path:
        """What the supervisor runs."""
        return self.folder / "plan.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's access."""
        return self.pki / "kubeconfig.conf"

    @property
    def kwok_kubeconfig(self) -> Path:
        """The access of kwok and of the volume provisioner."""
        return self.pki / "simulation.conf"

    @property
    def audit_log(self) -> Path:
        """The audit log, where it is switched on."""
        return self.logs / "audit.log"

    @property
    def node(self) -> Path:
        """Everything of a real node: images, containers, volumes."""
        return self.folder / "node"

    @property
    def volumes(self) -> Path:
        """The volumes of a real node, a folder each."""
        return self.node / "volumes"

    def log(self, component: str) -> str:
        """The log file of a component."""
        return str(self.logs / f"{component}.log")
