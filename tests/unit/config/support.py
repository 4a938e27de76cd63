"""Short ways to load a configuration in tests."""

from __future__ import annotations

import textwrap

import pytest

from nestling.config import errors, load, model


def config(text: str = "", *sets: str) -> model.VClusterConfig:
    """A configuration from one YAML text; features that do not exist yet are let through."""
    return load.load([load.Source("vcluster.yaml", textwrap.dedent(text))], sets, refuse_unsupported=False)


def problems(*texts: str, sets: tuple[str, ...] = (), refuse_unsupported: bool = False) -> tuple[errors.Problem, ...]:
    """What is wrong with YAML texts, called ``1.yaml``, ``2.yaml`` and so on."""
    sources = [load.Source(f"{number}.yaml", textwrap.dedent(text)) for number, text in enumerate(texts, 1)]
    with pytest.raises(errors.ConfigError) as caught:
        load.load(sources, sets, refuse_unsupported=refuse_unsupported)
    return caught.value.problems


def problem(*texts: str, sets: tuple[str, ...] = (), refuse_unsupported: bool = False) -> errors.Problem:
    """The only thing that is wrong."""
    (found,) = problems(*texts, sets=sets, refuse_unsupported=refuse_unsupported)
    return found


def where(*texts: str) -> list[str]:
    """The paths of everything that is wrong."""
    return [found.path for found in problems(*texts)]
