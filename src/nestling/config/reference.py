"""Files made from the models: the schema, the values and the refusals of the chart, and the page with all keys.

``python -m nestling.config.reference FOLDER`` writes them below a checkout; a test fails when one is not current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from nestling.config import defaults, describe, errors, fields, model, refusals, schema, support, yaml_text
from nestling.config.models import base

_PAGE_HEAD: Final = """# Configuration

A virtual cluster is configured by `vcluster.yaml`: the Helm values of vCluster, unchanged. Several files and `--set`
add up by Helm's rules: mappings merge, everything else is replaced, `null` takes a default away.

- `nestling config check FILE...` says everything that is wrong with the files at once: unknown keys, wrong types, keys
  that contradict each other, keys of older releases, each with file, line, and what to write instead.
- `nestling config schema` prints the JSON schema, for editors: put
  `# yaml-language-server: $schema=PATH` into the first line of a file.

Differences from vCluster:

- The store is **etcd** in the control plane, even when `controlPlane.backingStore` is empty.
  `controlPlane.backingStore.database.embedded.enabled: true` asks for SQLite.
- `controlPlane.distro.k8s.version` is the version of Kubernetes; a version that you write as
  `controlPlane.distro.k8s.image.tag` counts as well. Without either, Nestling uses its default version.
- Keys whose feature does not exist yet are **refused**, by `nestling` and by the chart, never ignored (*not yet*
  below). Keys that only a Helm installation uses are accepted everywhere (*Helm*).
- Service account tokens of pods are always delivered in Secrets (`sync.toHost.pods.useSecretsForSATokens`).
- Telemetry does not exist. `pro` has no effect: every feature is in the one open build.

This page is generated from the models in `src/nestling/config/models` (`python -m nestling.config.reference .`).
`[]` is an entry of a list, `<name>` a key of your choice. A dash means that the key is not set.
"""
_TABLE_HEAD: Final = "| key | type | default | |\n|---|---|---|---|\n"
_NOTES: Final[dict[support.Status, str]] = {
    support.Status.LATER: "*not yet*",
    support.Status.NEVER: "*not supported*",
    support.Status.HELM: "*Helm*",
    support.Status.WORKS: "",
}
_VALUES_HEAD: Final = """# The default values of the chart, made from src/nestling/config/models.
# What each key means: docs/configuration.md.
# yaml-language-server: $schema=values.schema.json
"""


def files() -> dict[str, str]:
    """The generated files by their path in the repository."""
    return {
        "chart/refusals.json": refusals.text(),
        "chart/values.schema.json": schema.text(),
        "chart/values.yaml": values(),
        "docs/configuration.md": page(),
    }


def values() -> str:
    """The chart's default values as YAML."""
    plain = defaults.values(model.VClusterConfig.model_construct())
    return _VALUES_HEAD + yaml_text.write(plain)


def page() -> str:
    """The reference of all keys in Markdown, one table per top-level key."""
    parts = [_PAGE_HEAD]
    for key, field in fields.of(model.VClusterConfig).items():
        about = describe.key(model.VClusterConfig, field)
        parts.append(f"\n## {key}\n\n{about}\n\n{_TABLE_HEAD}")
        parts += [_row(path, section, one) for path, section, one in _rows(model.VClusterConfig, field, (key,))]
    return "".join(parts)


def _rows(
    owner: type[base.Section], field: fields.Field, path: errors.Path
) -> Iterator[tuple[errors.Path, type[base.Section], fields.Field]]:
    yield path, owner, field
    if field.section is None or (field.key == "patches" and "pods" not in path):
        return
    inner = {fields.Kind.LIST: "[]", fields.Kind.MAP: ".<name>"}.get(field.kind, "")
    for key, nested in fields.of(field.section).items():
        yield from _rows(field.section, nested, (*path[:-1], f"{path[-1]}{inner}", key))


def _row(path: errors.Path, owner: type[base.Section], field: fields.Field) -> str:
    text = ".".join(str(part) for part in path)
    return f"| `{text}` | {type_name(field)} | {_default(field)} | {_described(path, owner, field)} |\n"


def _described(path: errors.Path, owner: type[base.Section], field: fields.Field) -> str:
    description = describe.key(owner, field).replace("|", "\\|").replace("*", "\\*")
    row = support.find(tuple(str(part).removesuffix("[]").removesuffix(".<name>") for part in path))
    note = _NOTES[row.status] if row else ""
    shared = " Fields as in `sync.toHost.pods.patches[]`." if field.key == "patches" and "pods" not in path else ""
    return " ".join(part for part in (description + shared, note) if part)


def type_name(field: fields.Field) -> str:
    """The type of a key in words: ``string``, ``boolean or auto``, ``list of string``, ``map of string``."""
    words = {kind: str(kind.value) for kind in fields.Kind} | {fields.Kind.STRBOOL: "boolean or auto"}
    inner = "object" if field.section is not None else words[field.item] if field.item else ""
    if field.kind is fields.Kind.LIST:
        return f"list of {inner}"
    if field.kind is fields.Kind.MAP:
        return f"map of {inner}"
    return words[field.kind]


def _default(field: fields.Field) -> str:
    if field.kind is fields.Kind.SECTION:
        return ""
    empty: tuple[Any, ...] = (None, [], {}) if not field.in_chart else (None,)
    return "-" if field.default in empty else f"`{json.dumps(field.default, ensure_ascii=False)}`"


def main(folder: str) -> None:
    """Write all files below a checkout."""
    for name, content in files().items():
        target = Path(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
