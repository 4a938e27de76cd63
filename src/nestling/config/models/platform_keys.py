"""Logs, telemetry and the platform."""

import pydantic

from nestling.config.models import base, common


class Telemetry(base.Section):
    """Usage data. Nestling sends none, whatever is written here."""

    enabled: bool = True
    """Has no effect."""
    instance_creator: str | None = None
    """Has no effect."""
    machine_id: str | None = pydantic.Field(default=None, alias="machineID")
    """Has no effect."""
    platform_user_id: str | None = pydantic.Field(default=None, alias="platformUserID")
    """Has no effect."""
    platform_instance_id: str | None = pydantic.Field(default=None, alias="platformInstanceID")
    """Has no effect."""


class Logging(base.Section):
    """How logs look."""

    encoding: str = "console"
    """console or json."""
    file: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """Also write logs to a file."""


class ApiKey(base.Section):
    """The Secret with the access key of the platform."""

    secret_name: str | None = None
    """Name of the Secret."""
    namespace: str | None = None
    """Namespace of the Secret."""
    create_rbac: bool | None = pydantic.Field(default=None, alias="createRBAC")
    """Create the permission to read it."""


class Platform(base.Section):
    """How the virtual cluster joins the platform."""

    api_key: base.Part[ApiKey] | None = None
    project: str | None = None
    """Its project."""
