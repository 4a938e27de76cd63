"""What Nestling costs: the virtual cluster against its host, in one run (docs/performance.md)."""
