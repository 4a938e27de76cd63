"""Create, connect, list, delete: the verbs as functions that command line and others call."""
