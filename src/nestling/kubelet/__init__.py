"""The kubelet façade: what the virtual API server takes for the kubelets of its nodes. See ``docs/kubelet.md``."""
