"""The real node of an embedded host: containerd, runc, CNI, kubelet and kube-proxy in namespaces of their own.

The node has its own network and mount namespaces, which die with the last process in them: its devices, rules and
mounts are gone then, whatever ended them, and several hosts on one machine have nothing in common. Only three things
are outside: the cgroups, one end of a veth pair, and one nft table that lets pods reach the machine's network.
"""
