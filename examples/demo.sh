#!/usr/bin/env bash
# The main job on the embedded host: create a virtual cluster, run an application in it, show both sides, clean up.
# Everything lives in a folder of its own; nothing of the user's is touched.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=$(mktemp -d)
export NESTLING_HOME="$home/data" KUBECONFIG="$home/kubeconfig"
# the images of the demo are in no registry
export NESTLING_NODE=simulated
say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
step() { printf '$ %s\n' "$*"; "$@"; }
cleanup() {
  code=$?
  say "clean up"
  nestling delete my-vc --ignore-not-found || code=1
  nestling host down --delete || code=1
  rm -rf "$home"
  exit "$code"
}
trap cleanup EXIT

say "an embedded host cluster (etcd, kube-apiserver, controller-manager, scheduler, simulated nodes)"
step nestling host up
# kubectl of the host's version, also where none is installed
export PATH="$(dirname "$(nestling binaries path kubectl)"):$PATH"
(umask 077 && nestling host kubeconfig > "$home/host.kubeconfig")
host() { KUBECONFIG="$home/host.kubeconfig" kubectl "$@"; }

say "a virtual cluster in one namespace of it"
step nestling create my-vc --connect=false

say "an application in the virtual cluster"
step nestling connect my-vc -- kubectl apply -f "$here/web.yaml"
step nestling connect my-vc -- kubectl rollout status deployment/web --timeout=120s

say "what the tenant sees"
step nestling connect my-vc -- kubectl get deployments,pods,services,configmaps,secrets,persistentvolumeclaims,nodes

say "what the host sees: namespace vcluster-my-vc"
echo '$ kubectl get pods,services,configmaps,secrets,persistentvolumeclaims -n vcluster-my-vc'
host get pods,services,configmaps,secrets,persistentvolumeclaims -n vcluster-my-vc

say "all virtual clusters"
step nestling list
