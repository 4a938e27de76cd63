#!/usr/bin/env python3
"""Write the pinned Go modules of the stock binaries: ``.venv/bin/python tools/update.py [FOLDER...]``.

For a maintainer who changed a version in ``src/nestling/binaries/versions.py``: it rewrites ``go.mod`` and ``go.sum``
of every folder beside this file (or of those named), and removes the folders of Kubernetes versions that are no
longer offered. It needs Go and the Go module proxy, and builds nothing.

``k8s.io/kubernetes`` asks for its staging modules (``k8s.io/api`` and so on) at v0.0.0, which only exists inside its
own repository; outside, each needs a ``replace`` to its published version: v1.36.3 goes with v0.36.3.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from nestling.binaries import catalogue

HERE = pathlib.Path(__file__).resolve().parent
OLDEST_GO = "1.24"  # the first with `tool` lines; tidying raises it to what the modules ask for


def main(arguments: list[str]) -> int:
    """Rewrite the named folders, or all."""
    modules = {module.folder: module for module in catalogue.modules()}
    unknown = set(arguments) - set(modules)
    if unknown:
        sys.stderr.write(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(modules)}\n")
        return 2
    for folder in arguments or modules:
        sys.stdout.write(f"{folder}\n")
        sys.stdout.flush()
        write(modules[folder])
    for stale in set(HERE.glob("kubernetes-*")) - {HERE / folder for folder in modules}:
        sys.stdout.write(f"{stale.name} removed\n")
        shutil.rmtree(stale)
    return 0


def write(module: catalogue.Module) -> None:
    """Write go.mod and go.sum of one folder; both stay as they were when Go refuses."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "go.mod").write_text(text_of(module))
        go(folder, "mod", "tidy")
        target = HERE / module.folder
        target.mkdir(exist_ok=True)
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(folder / name, target / name)


def text_of(module: catalogue.Module) -> str:
    """Return the go.mod before tidying."""
    lines = [f"module nestling.invalid/tools/{module.folder}", "", f"go {OLDEST_GO}", ""]
    lines += [f"require {module.path} {module.version}", ""]
    lines += ["tool (", *(f"\t{package}" for package in sorted(module.packages)), ")", ""]
    if module.path == catalogue.KUBERNETES_MODULE:
        staged = "v0." + module.version.removeprefix("v1.")
        lines += ["replace (", *(f"\t{path} => {path} {staged}" for path in staging(module.version)), ")"]
    return "\n".join(lines) + "\n"


def staging(version: str) -> list[str]:
    """Return the modules that k8s.io/kubernetes takes from its own repository."""
    here = pathlib.Path(tempfile.gettempdir())
    found = json.loads(go(here, "mod", "download", "-json", f"{catalogue.KUBERNETES_MODULE}@{version}"))
    parsed = json.loads(go(here, "mod", "edit", "-json", found["GoMod"]))
    return sorted(line["Old"]["Path"] for line in parsed["Replace"] if line["New"]["Path"].startswith("./staging/"))


def go(folder: pathlib.Path, *arguments: str) -> str:
    """Run go in the folder and return what it prints."""
    environment = os.environ | {"GOWORK": "off", "GO111MODULE": "on"}
    return subprocess.run(
        ["go", *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
