"""The provider chain of the stock binaries.

Nestling starts unchanged Kubernetes, etcd and kwok binaries and calls kubectl and helm. ``chain.ensure`` returns
their paths and gets what is missing: explicit folder, cache, the machine's PATH (kubectl and helm), download with
checksum, ``go build`` from the pinned modules under ``tools/``. Standard library only, so that the smallest process
can use it.
"""
