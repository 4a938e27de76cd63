"""Read ``vcluster.yaml``: several sources and ``--set`` in, one checked configuration out, or all that is wrong."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from nestling.config import defaults, errors, legacy, merge, model, rules, structure, support, yaml_text
from nestling.config import sets as assignments


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One values file: how to call it in messages, and its text."""

    name: str
    text: str


@dataclasses.dataclass(slots=True)
class _Draft:
    """The user's values of all sources together, and where each key comes from (the strongest source first)."""

    values: dict[str, Any]
    origins: list[tuple[str, dict[errors.Path, int | None]]]
    problems: list[errors.Problem]
    #: How numbers and truth values are spelled in the file, where that differs from their value (1.30).
    written: dict[errors.Path, str] = dataclasses.field(default_factory=dict)

    def problem(self, finding: errors.Finding) -> errors.Problem:
        """The finding with the source and line of its key, or of the closest mapping around it that is written."""
        source, line = self._where(finding.path)
        return errors.Problem(errors.dotted(finding.path), source, line, finding.message, finding.hint)

    def _where(self, path: errors.Path) -> tuple[str, int | None]:
        for length in range(len(path), 0, -1):
            for source, lines in self.origins:
                if path[:length] in lines:
                    return source, lines[path[:length]]
        return (self.origins[-1][0] if self.origins else ""), None


def load(
    texts: Sequence[Source],
    sets: Sequence[str] = (),
    *,
    refuse_unsupported: bool = True,
    sparing: bool = False,
    is_merged: bool = False,
) -> model.VClusterConfig:
    """The configuration that the sources add up to; a later source wins, ``sets`` win over all.

    Raises ``errors.ConfigError`` with all problems of all sources at once. Without ``refuse_unsupported``, keys of
    features that do not exist yet are accepted: for looking at a configuration, never for running one. ``sparing``
    is for the merged values of the chart, which name every key: what says the same as the defaults is not checked, and
    counts as not set. It takes half the time. ``is_merged`` says that helm has merged them with the chart's: a default
    that is missing in a free map was then taken away by a null.
    """
    draft = _gather(texts, sets)
    values, findings = legacy.take_out(draft.values)
    settled = merge.settle(values, model.VClusterConfig, is_merged=is_merged)
    if sparing:
        settled = defaults.without(settled, model.VClusterConfig())
    config, broken = structure.validate(settled, draft.written)
    config = config.with_user_values(values)
    findings += broken
    found = [*rules.check(config), *(support.check(config) if refuse_unsupported else ())]
    findings += _unrelated(found, {finding.path for finding in broken})
    problems = [*draft.problems, *(draft.problem(finding) for finding in findings)]
    if problems:
        raise errors.ConfigError(_in_order(problems))
    return config


def _unrelated(findings: Iterable[errors.Finding], broken: set[errors.Path]) -> list[errors.Finding]:
    """The findings that do not merely follow from a key that is broken itself."""
    return [
        finding
        for finding in findings
        if not any(_touches(path, bad) for path in (finding.path, *finding.about) for bad in broken)
    ]


def _touches(one: errors.Path, other: errors.Path) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def dump(config: model.VClusterConfig) -> str:
    """The values that the user wrote, merged from all sources, as YAML; loading it gives the same configuration."""
    return yaml_text.write(config.user_values)


def dump_effective(config: model.VClusterConfig) -> str:
    """All values, the chart's defaults included, as YAML: what the Secret vc-config-NAME holds (spec §6)."""
    return yaml_text.write(defaults.values(config))


def _gather(texts: Sequence[Source], sets: Sequence[str]) -> _Draft:
    draft = _Draft({}, [], [])
    for source in texts:
        document = yaml_text.read(source.name, source.text)
        draft.values = merge.overlay(draft.values, document.values)
        draft.origins.insert(0, (source.name, {**document.lines}))
        draft.written.update(document.written)
        draft.problems += document.problems
    draft.values = copy.deepcopy(draft.values)
    for text in sets:
        try:
            written = assignments.apply(draft.values, text)
        except assignments.SetError as error:
            draft.problems.append(errors.Problem("", "--set", None, str(error)))
        else:
            draft.origins.insert(0, ("--set", dict.fromkeys(_new_paths(written, draft.origins))))
    return draft


def _new_paths(
    written: Sequence[errors.Path], origins: Sequence[tuple[str, dict[errors.Path, int | None]]]
) -> set[errors.Path]:
    """The paths that a ``--set`` wrote, with the mappings around them that no source has written before."""
    around = {path[:length] for path in written for length in range(1, len(path))}
    return {*written, *(path for path in around if not any(path in lines for _, lines in origins))}


def _in_order(problems: Iterable[errors.Problem]) -> list[errors.Problem]:
    """By source and line, each problem once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.source, problem.line or 0, problem.path))
