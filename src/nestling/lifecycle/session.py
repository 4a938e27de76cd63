"""What every verb works with: the driver, the user's kubeconfig files and where progress goes."""

from __future__ import annotations

import dataclasses

from nestling.drivers import base, errors
from nestling.lifecycle import kubeconfig_file


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """One run of the command line."""

    driver: base.Driver
    files: kubeconfig_file.Files
    reporter: base.Reporter
    namespace: str | None = None
    """The namespace that was asked for; None means wherever."""

    async def find(self, name: str) -> base.VirtualCluster:
        """The one virtual cluster of that name; raises ``UserError`` when there is none, or more than one."""
        found = [cluster for cluster in await self.driver.clusters(self.namespace) if cluster.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            namespaces = ", ".join(cluster.namespace for cluster in found)
            raise errors.UserError(
                f'there are {len(found)} virtual clusters called "{name}", in the namespaces {namespaces}; add -n '
                f"NAMESPACE"
            )
        raise errors.NotFoundError(await self._not_found(name))

    async def _not_found(self, name: str) -> str:
        everywhere = await self.driver.clusters()
        where = f' in the namespace "{self.namespace}"' if self.namespace else ""
        others = [cluster for cluster in everywhere if cluster.name == name]
        if others:
            hint = f"it is in the namespace {others[0].namespace}: add -n {others[0].namespace}, or leave -n out"
        elif everywhere:
            hint = "there are: " + ", ".join(f"{cluster.name} ({cluster.namespace})" for cluster in everywhere)
        else:
            hint = f"there are none; create it with: nestling create {name}"
        return f'there is no virtual cluster "{name}"{where}; {hint}'
