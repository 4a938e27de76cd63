"""Virtual clusters as Helm releases on the cluster of a kubeconfig context."""
