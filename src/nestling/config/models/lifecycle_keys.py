"""Sleep and deletion."""

import pydantic

from nestling.config.models import base


class SleepSelector(base.Section):
    """Labels of what is left running."""

    labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """Labels that an object must have."""


class Exclude(base.Section):
    """What is left running during sleep."""

    selector: base.Part[SleepSelector] | None = None


class Wakeup(base.Section):
    """When it wakes up again."""

    schedule: str | None = None
    """When, as a cron expression."""


class AutoSleep(base.Section):
    """When the workloads are stopped."""

    after_inactivity: str | None = None
    """How long nothing happens first, such as 1h."""
    schedule: str | None = None
    """When, as a cron expression."""
    exclude: base.Part[Exclude] | None = None
    wakeup: base.Part[Wakeup] | None = None
    timezone: str | None = None
    """Time zone of the schedules, such as Europe/Vienna."""


class Sleep(base.Section):
    """Stop the workloads while nobody uses them."""

    auto: base.Part[AutoSleep] | None = None


class AutoDeletion(base.Section):
    """When the virtual cluster is deleted."""

    after_inactivity: str | None = None
    """How long nothing happens first, such as 720h."""


class Deletion(base.Section):
    """Protection against deletion, and deletion when nobody uses it."""

    prevent: bool | None = None
    """Refuse to delete the virtual cluster."""
    auto: base.Part[AutoDeletion] | None = None
