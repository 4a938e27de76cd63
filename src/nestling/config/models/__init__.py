"""The shape of ``vcluster.yaml``: one module per concern, one class per mapping.

The modules leave ``from __future__ import annotations`` out on purpose: pydantic would have to compile every annotation
from its text, a fifth of the time that it takes to import them.
"""
