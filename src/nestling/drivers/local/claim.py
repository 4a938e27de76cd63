"""What a new virtual cluster of this machine claims for itself: its name, its namespace, its port."""

from __future__ import annotations

import datetime
import importlib.metadata
from typing import Final

from nestling.controlplane import supervisor_status
from nestling.drivers import base, errors
from nestling.drivers.local import embedded, folder
from nestling.local import ports

_PORT: Final = "api"


def new_record(known: folder.Clusters, host: str, request: base.CreateRequest) -> folder.Record:
    """The record of a virtual cluster that is being created by this process."""
    this = supervisor_status.this_process()
    return folder.Record(
        name=request.name,
        namespace=request.namespace,
        host=host,
        port=_port(known, request),
        phase="creating",
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        version=importlib.metadata.version("nestling"),
        kubernetes_version=embedded.version(request),
        owner=(this.pid, this.start_time, this.boot_id),
    )


def _port(known: folder.Clusters, request: base.CreateRequest) -> int:
    """A port that the values name, else a free one that no other virtual cluster was given."""
    proxy = request.config.control_plane.proxy
    if "port" in proxy.model_fields_set:
        if not ports.is_free(proxy.port):
            raise errors.UserError(
                f"the port {proxy.port} (controlPlane.proxy.port) is in use by {ports.holder(proxy.port)}; "
                f"choose another one, or leave the key out: then a free port is taken"
            )
        return proxy.port
    taken = {found.port for _, found in known.all()}
    return ports.choose([_PORT], avoid=taken)[_PORT]


def refuse_taken(known: folder.Clusters, request: base.CreateRequest, place: folder.Folder) -> None:
    """Raise ``UserError`` when the name, the namespace or the folder is somebody else's."""
    for other_place, other in known.all():
        if other_place == place:
            raise errors.UserError(f'the virtual cluster "{other.name}" exists already; choose another name')
        if other.namespace == request.namespace:
            raise errors.UserError(
                f'the namespace "{request.namespace}" holds the virtual cluster "{other.name}" already, and each '
                f"needs "
                f"a namespace of its own; choose another one with -n NAMESPACE"
            )
    if place.path.exists():
        raise errors.UserError(
            f"the folder {place.path} exists, but holds no record of a virtual cluster ({place.record_file.name}); "
            f"move it away, or choose another name"
        )
