"""Nestling: virtual Kubernetes clusters, compatible with vCluster."""
