"""One module or package per kind, each with one frozen SyncSpec named SPEC."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from nestling.syncer.spec import SyncSpec


@functools.cache
def specs() -> tuple[SyncSpec, ...]:
    """Every kind's declaration, found by walking this folder, in order of the modules' names."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, SyncSpec))
