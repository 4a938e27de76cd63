"""Models of lifecycle_keys."""

from __future__ import annotations

import pydantic

from nestling.config.models import base


class SleepSelector(base.Section):
    """TODO class sleep.auto.exclude.selector"""

    labels: base.Absent[dict[str, str]] = pydantic.Field(default={})
    """TODO sleep.auto.exclude.selector.labels"""


class Exclude(base.Section):
    """TODO class sleep.auto.exclude"""

    selector: base.Part[SleepSelector] | None = None
    """TODO sleep.auto.exclude.selector"""


class Wakeup(base.Section):
    """TODO class sleep.auto.wakeup"""

    schedule: str | None = None
    """TODO sleep.auto.wakeup.schedule"""


class AutoSleep(base.Section):
    """TODO class sleep.auto"""

    after_inactivity: str | None = None
    """TODO sleep.auto.afterInactivity"""
    schedule: str | None = None
    """TODO sleep.auto.schedule"""
    exclude: base.Part[Exclude] | None = None
    """TODO sleep.auto.exclude"""
    wakeup: base.Part[Wakeup] | None = None
    """TODO sleep.auto.wakeup"""
    timezone: str | None = None
    """TODO sleep.auto.timezone"""


class Sleep(base.Section):
    """TODO class sleep"""

    auto: base.Part[AutoSleep] | None = None
    """TODO sleep.auto"""


class AutoDeletion(base.Section):
    """TODO class deletion.auto"""

    after_inactivity: str | None = None
    """TODO deletion.auto.afterInactivity"""


class Deletion(base.Section):
    """TODO class deletion"""

    prevent: bool | None = None
    """TODO deletion.prevent"""
    auto: base.Part[AutoDeletion] | None = None
    """TODO deletion.auto"""
