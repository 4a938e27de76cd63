"""One module or package per kind, each with one frozen SyncSpec named SPEC."""
