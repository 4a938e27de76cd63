"""The Kubernetes API: client, watch, cache, work queue, discovery, errors. Knows nothing of virtual clusters."""
