"""PKI, kubeconfig, component command lines, supervisor, service CIDR."""
