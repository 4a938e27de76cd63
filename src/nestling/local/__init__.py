"""The embedded host cluster and its nodes."""
