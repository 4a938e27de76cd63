"""The local driver: a virtual cluster is a folder of this machine and the processes that run in it."""
