"""Make the images: ``python -m images [--out FOLDER] [--refresh]``. What has not changed is not made again."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from images import archive, contents, debian, elf, python_packages, tree
from nestling.binaries import chain, progress, versions
from nestling.binaries import errors as binary_errors
from nestling.binaries import settings as binary_settings
from nestling.config.models import distro_keys

REPOSITORY: Final = Path(__file__).resolve().parents[1]
BINARIES: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kine", "coredns")
NESTLING: Final = "ghcr.io/nestling-dev/nestling"
KUBERNETES: Final = "ghcr.io/nestling-dev/kubernetes"
ENVIRONMENT: Final = (
    "PATH=/usr/local/bin:/usr/bin",
    "LANG=C.UTF-8",
    "PYTHONDONTWRITEBYTECODE=1",
    "PYDANTIC_DISABLE_PLUGINS=__all__",
    "HOME=/tmp",
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
)


class Maker:
    """One run: where things are kept, and what has been made before."""

    def __init__(self, out: Path, uv: Path) -> None:
        self._out = out
        self._cache = out / "cache"
        self._uv = uv
        self._architecture = binary_settings.Settings.from_env().architecture
        self._code = contents.digest(*sorted(Path(__file__).parent.glob("*.py")))
        self._cache.mkdir(parents=True, exist_ok=True)

    def root(self) -> debian.Root:
        """The Debian packages."""
        return debian.unpack(self._cache / "debian")

    def nestling(self, root: debian.Root, version: str) -> Path:
        """The image of the control plane: three layers, of which a change of the source makes one anew."""
        site = contents.packages_folder(root.python)
        locked = python_packages.locked(REPOSITORY)
        packages = self._cache / "packages"
        lock_file = self._cache / "requirements.lock"

        def dependencies() -> tree.Tree:
            lock_file.write_text(locked, encoding="utf-8")
            python_packages.install_dependencies(self._uv, lock_file, packages, python=root.python)
            return _compiled(root, packages, site)

        def runtime() -> tree.Tree:
            standard = f"usr/lib/{root.python}"
            root.run(*_compile(root.folder / standard, f"/{standard}"))
            made = contents.runtime(root, packages)
            for path, entry in made:
                if entry.file is not None and path.startswith(standard) and path.endswith(".py"):
                    compiled = entry.file.parent / "__pycache__"
                    for one in compiled.glob(f"{entry.file.stem}.cpython-*.pyc"):
                        made.file(f"{Path(path).parent}/__pycache__/{one.name}", one)
            return made

        def own() -> tree.Tree:
            target = self._cache / "nestling"
            python_packages.install_nestling(self._uv, REPOSITORY, target, python=root.python)
            return _compiled(root, target, site)

        source = contents.digest(*(REPOSITORY / name for name in ("src", "tools", "pyproject.toml")))
        lock = contents.digest(locked)
        layers = [
            self._layer("dependencies", lock, dependencies),
            self._layer("python", lock, runtime),
            self._layer("nestling", source, own),
        ]
        image = archive.Image(
            names=(f"{NESTLING}:{version}",),
            architecture=self._architecture,
            entrypoint=(contents.PROGRAM,),
            environment=ENVIRONMENT,
            user="65532:65532",
            labels=_labels("Nestling", version),
        )
        return self._archive("nestling.tar", image, [layers[1], layers[0], layers[2]])

    def kubernetes(self, root: debian.Root, asked: str | None, also: tuple[str, ...]) -> Path:
        """The image of the stock binaries, under our name and others."""
        version = versions.resolve(asked)
        name = f"kubernetes-{versions.minor(version)}" if asked else "kubernetes"
        binaries = chain.ensure(BINARIES, kubernetes_version=version, progress=progress.lines(sys.stderr))
        layer = self._layer(
            name,
            contents.digest(*(f"{file}{file.stat().st_mtime_ns}" for file in binaries.values())),
            lambda: contents.kubernetes(root, binaries),
        )
        image = archive.Image(
            names=(f"{KUBERNETES}:{version}", *also),
            architecture=self._architecture,
            environment=ENVIRONMENT[:1],
            user="65532:65532",
            labels=_labels("Kubernetes binaries for Nestling", version),
        )
        return self._archive(f"{name}.tar", image, [layer])

    def _layer(self, name: str, key: str, make: Callable[[], tree.Tree]) -> archive.Layer:
        """A layer of the cache, made anew when what goes into it is not what it was made of."""
        file, note = self._cache / f"{name}.layer", self._cache / f"{name}.key"
        key = f"{self._code} {key}"
        if file.is_file() and note.is_file():
            old, digest = note.read_text(encoding="ascii").rsplit(" ", 1)
            if old == key:
                return archive.Layer(file, digest)
        print(f"image: making the layer {name}", file=sys.stderr, flush=True)
        note.unlink(missing_ok=True)
        digest = make().pack(file)
        note.write_text(f"{key} {digest}", encoding="ascii")
        return archive.Layer(file, digest)

    def _archive(self, name: str, image: archive.Image, layers: Sequence[archive.Layer]) -> Path:
        path, note = self._out / name, self._cache / f"{name}.key"
        key = contents.digest(repr(image), *(layer.digest for layer in layers))
        if not (path.is_file() and note.is_file() and note.read_text(encoding="ascii") == key):
            note.unlink(missing_ok=True)
            archive.write(path, image, layers)
            note.write_text(key, encoding="ascii")
        return path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m images", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / ".images", help="folder of the archives")
    parser.add_argument("--uv", type=Path, default=REPOSITORY / ".tools/uv/bin/uv", help="the installer of packages")
    parser.add_argument("--refresh", action="store_true", help="get the newest Debian packages")
    parser.add_argument("--kubernetes-version", help="only the image of the stock binaries, of this version")
    parser.add_argument("--also", action="append", default=[], metavar="NAME", help="a further name of that image")
    given = parser.parse_args(arguments)
    if given.refresh:
        shutil.rmtree(given.out / "cache", ignore_errors=True)
    maker = Maker(given.out.resolve(), given.uv)
    try:
        root = maker.root()
        if given.kubernetes_version:
            made = [maker.kubernetes(root, given.kubernetes_version, tuple(given.also))]
        else:
            made = [maker.nestling(root, _version()), maker.kubernetes(root, None, (_default_kubernetes(),))]
    except (debian.AptError, elf.MissingLibraryError, python_packages.InstallError, binary_errors.BinaryError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    for path in made:
        print(path)
    return 0


def _compiled(root: debian.Root, folder: Path, place: str) -> tree.Tree:
    root.run(*_compile(folder, f"/{place}"))
    made = tree.Tree()
    made.below(place, folder)
    return made


def _compile(folder: Path, place: str) -> tuple[str, ...]:
    """Bytecode that is valid whatever the dates of the files are, and names them as they will be called."""
    options = ("-q", "-j0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", place)
    return ("-m", "compileall", *options, str(folder))


def _labels(title: str, version: str) -> tuple[tuple[str, str], ...]:
    prefix = "org.opencontainers.image"
    return ((f"{prefix}.title", title), (f"{prefix}.version", version), (f"{prefix}.licenses", "Apache-2.0"))


def _default_kubernetes() -> str:
    """What the chart names unless told otherwise: machines without a registry have it, too."""
    default = distro_keys.K8sImage()
    return f"{default.registry}/{default.repository}:{default.tag}"


def _version() -> str:
    """The version of the chart, which names the image."""
    import yaml

    chart = yaml.safe_load((REPOSITORY / "chart/Chart.yaml").read_text(encoding="utf-8"))
    return str(chart["appVersion"])


if __name__ == "__main__":
    sys.exit(main())
