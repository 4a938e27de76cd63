from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import json, sys
import nestling.controlplane.syncer_process
from nestling import resources
resources.specs()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
import rich
"""


def test_the_syncer_carries_no_libraries_that_it_does_not_use() -> None:
    """They cost memory in each of hundreds of virtual clusters. Who needs them may still import them."""
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    unused = {"aiohttp", "rich", "pygments", "click", "jsonschema", "hypothesis", "pytest"}
    assert unused.isdisjoint(json.loads(result.stdout))
