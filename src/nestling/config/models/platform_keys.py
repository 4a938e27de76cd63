"""Models of platform_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base, common


class Telemetry(base.Section):
    """TODO class telemetry"""

    enabled: bool = True
    """TODO telemetry.enabled"""
    instance_creator: str | None = None
    """TODO telemetry.instanceCreator"""
    machine_id: str | None = pydantic.Field(default=None, alias="machineID")
    """TODO telemetry.machineID"""
    platform_user_id: str | None = pydantic.Field(default=None, alias="platformUserID")
    """TODO telemetry.platformUserID"""
    platform_instance_id: str | None = pydantic.Field(default=None, alias="platformInstanceID")
    """TODO telemetry.platformInstanceID"""


class Logging(base.Section):
    """TODO class logging"""

    encoding: str = "console"
    """TODO logging.encoding"""
    file: base.Part[common.DisabledByDefault] = base.part(common.DisabledByDefault)
    """TODO logging.file"""


class ApiKey(base.Section):
    """TODO class platform.apiKey"""

    secret_name: str | None = None
    """TODO platform.apiKey.secretName"""
    namespace: str | None = None
    """TODO platform.apiKey.namespace"""
    create_rbac: bool | None = pydantic.Field(default=None, alias="createRBAC")
    """TODO platform.apiKey.createRBAC"""


class Platform(base.Section):
    """TODO class platform"""

    api_key: base.Part[ApiKey] | None = None
    """TODO platform.apiKey"""
    project: str | None = None
    """TODO platform.project"""
