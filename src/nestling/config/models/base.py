"""What every model of ``vcluster.yaml`` has in common."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Final, Literal, TypeVar

import pydantic
from pydantic_core import core_schema


def camel(name: str) -> str:
    """The YAML key of an attribute: ``from_host`` becomes ``fromHost``, ``global_`` becomes ``global``."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


class Section(pydantic.BaseModel):
    """A mapping with known keys: camelCase in YAML, snake_case in Python; immutable once it is read.

    Strict on purpose: the schema of vCluster's chart refuses ``"true"`` for a boolean and ``5`` for a string, so we do.
    """

    model_config = pydantic.ConfigDict(
        alias_generator=camel,
        extra="forbid",
        strict=True,
        frozen=True,
        defer_build=True,
    )


SectionT = TypeVar("SectionT", bound=Section)
T = TypeVar("T")


class OnDemand:
    """Marks a nested model whose validator is built only when a user sets something below it.

    Building all validators takes half a second; a usual file touches a dozen of the 240 models. pydantic merges
    the errors of the nested model into the outer ones, with their paths.
    """

    def __get_pydantic_core_schema__(
        self, source: type[Section], _handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate by calling the nested model."""
        return core_schema.no_info_plain_validator_function(source.model_validate)


class AbsentFromChart:
    """Marks a key that the chart's ``values.yaml`` leaves out while it is empty."""


#: A nested model: ``pods: Part[Pods] = part(Pods)``.
Part = Annotated[SectionT, OnDemand()]
#: A list or map that is written nowhere while it is empty.
Absent = Annotated[T, AbsentFromChart()]


def _strbool(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value not in ("auto", "true", "false"):
        raise ValueError("not auto, true or false")
    return value


#: ``auto``, ``true`` or ``false``; booleans are accepted and become text.
StrBool = Annotated[Literal["auto", "true", "false"], pydantic.BeforeValidator(_strbool)]

AUTO: Final = "auto"


class _Defaults:
    """Makes a nested model of defaults. pydantic asks for its signature each time, which takes longer than the call."""

    __signature__: Final = inspect.Signature()

    def __init__(self, section: type[Section]) -> None:
        self._section = section

    def __call__(self) -> Section:
        return self._section.model_construct()


def part(section: type[SectionT], *, alias: str | None = None) -> Any:
    """The default of a nested model: all its defaults, made without building its validator."""
    return pydantic.Field(default_factory=_Defaults(section), alias=alias)


def is_on(value: StrBool, *, auto: bool) -> bool:
    """What a ``StrBool`` comes to, given what ``auto`` means at the moment."""
    return auto if value == AUTO else value == "true"
