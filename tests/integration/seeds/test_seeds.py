"""The workloads of the seeds run to Ready, and are on the host what the seeds say that they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestling.naming import names
from nestling.naming.tenant import Tenant, VirtualKey
from tests.integration.seeds.conftest import User

EXAMPLES = Path(__file__).parents[3] / "examples"
pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

TEST_APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: test-app}
spec:
  replicas: 1
  selector: {matchLabels: {app: test-app}}
  template:
    metadata: {labels: {app: test-app}}
    spec:
      containers:
      - {name: whoami, image: "traefik/whoami:v1.10", ports: [{containerPort: 80, name: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: test-app}
spec:
  selector: {app: test-app}
  ports: [{port: 80, targetPort: http}]
"""

TEST_PVC = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: test-pvc
  labels: {app.kubernetes.io/name: test-app}
spec:
  storageClassName: standard
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""

NGINX = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx}
spec:
  replicas: 1
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers: [{name: nginx, image: "nginx:1.29", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec:
  selector: {app: nginx}
  ports: [{port: 80}]
"""

BACKSTAGE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: app-config}
data: {APP_CONFIG_app_baseUrl: "https://backstage-staging.example.org"}
---
apiVersion: v1
kind: Secret
metadata: {name: postgres}
stringData: {password: not-a-real-secret}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: cache}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: backstage-staging}
spec:
  replicas: 1
  selector: {matchLabels: {app: backstage-staging}}
  template:
    metadata: {labels: {app: backstage-staging}}
    spec:
      containers:
      - name: backstage
        image: backstage:staging
        envFrom: [{configMapRef: {name: app-config}}]
        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: postgres, key: password}}}]
        volumeMounts: [{name: cache, mountPath: /cache}]
      volumes: [{name: cache, persistentVolumeClaim: {claimName: cache}}]
---
apiVersion: v1
kind: Service
metadata: {name: backstage-staging}
spec:
  selector: {app: backstage-staging}
  ports: [{port: 7007}]
"""


@pytest.fixture
def virtual_cluster(user: User, request: pytest.FixtureRequest) -> Iterator[str]:
    """A virtual cluster of the name that the test asks for, in a namespace of the same name, connected."""
    name: str = request.param
    user.vcluster("create", name, "-n", name, "--set", "sync.fromHost.storageClasses.enabled=true")
    yield name
    user.vcluster("delete", name, "-n", name)


SHARED = """
apiVersion: v1
kind: Namespace
metadata: {name: nextjs}
---
apiVersion: v1
kind: Namespace
metadata: {name: shared}
---
apiVersion: v1
kind: Namespace
metadata: {name: shared-config}
---
apiVersion: v1
kind: Secret
metadata: {name: session, namespace: nextjs}
stringData: {key: not-a-real-secret}
---
apiVersion: v1
kind: Secret
metadata: {name: registry, namespace: shared}
stringData: {password: not-a-real-secret}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: flags, namespace: shared-config}
data: {color: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: elsewhere, namespace: default}
stringData: {password: not-a-real-secret}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
"""

NEXTJS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: nextjs}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nextjs}
spec:
  replicas: 1
  selector: {matchLabels: {app: nextjs}}
  template:
    metadata: {labels: {app: nextjs}}
    spec:
      serviceAccountName: nextjs
      nodeSelector: {chosen-by: the-virtual-cluster}
      containers:
      - name: nextjs
        image: nextjs
        env: [{name: KEY, valueFrom: {secretKeyRef: {name: session, key: key}}}]
---
apiVersion: v1
kind: Service
metadata: {name: nextjs}
spec:
  selector: {app: nextjs}
  ports: [{port: 3000}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: nextjs}
spec:
  ingressClassName: nginx
  rules:
  - host: nextjs.example.org
    http:
      paths: [{path: /, pathType: Prefix, backend: {service: {name: nextjs, port: {number: 3000}}}}]
"""


@pytest.mark.parametrize("virtual_cluster", ["vc1"], indirect=True)
def test_seed_001_the_sample_application(user: User, virtual_cluster: str) -> None:
    """Names end in ``-x-test-x-vc1``; a claim with the host's StorageClass is bound."""
    user.kubectl("create", "namespace", "test")
    user.kubectl("-n", "test", "apply", "-f", "-", stdin=TEST_APP)
    user.kubectl("-n", "test", "rollout", "status", "deployment/test-app", "--timeout=90s")

    pods = user.names_on_host("pods", "vc1")
    assert any(name.startswith("test-app-") and name.endswith("-x-test-x-vc1") for name in pods)
    assert "test-app-x-test-x-vc1" in user.names_on_host("services", "vc1")
    assert user.names_on_host("deployments", "vc1") == set()
    assert "test" not in user.on_host("get", "namespaces", "-o", "name").replace("namespace/", "").split()
    ours = json.loads(user.kubectl("-n", "test", "get", "service", "test-app", "-o", "json"))
    theirs = json.loads(user.on_host("-n", "vc1", "get", "service", "test-app-x-test-x-vc1", "-o", "json"))
    assert ours["spec"]["clusterIP"] == theirs["spec"]["clusterIP"]

    user.until("the host's StorageClass", lambda: "standard" in user.kubectl("get", "storageclasses", "-o", "name"))
    user.kubectl("-n", "test", "apply", "-f", "-", stdin=TEST_PVC)
    phase = ("-n", "test", "get", "pvc", "test-pvc", "-o", "jsonpath={.status.phase}")
    user.until("the claim is Bound", lambda: user.kubectl(*phase) == "Bound")
    user.kubectl("-n", "test", "delete", "pvc", "test-pvc", "--timeout=60s")
    user.until(
        "the claim is gone from the host",
        lambda: "test-pvc-x-test-x-vc1" not in user.names_on_host("persistentvolumeclaims", "vc1"),
    )


@pytest.mark.parametrize("virtual_cluster", ["vcluster-a"], indirect=True)
def test_seed_002_the_tenants_nginx(user: User, virtual_cluster: str) -> None:
    """The host's routes point at Service ``nginx-x-default-x-vcluster-a``, whose endpoints are the tenant's pods."""
    user.kubectl("apply", "-f", "-", stdin=NGINX)
    user.kubectl("rollout", "status", "deployment/nginx", "--timeout=90s")
    slices = (
        *("-n", "vcluster-a", "get", "endpointslices", "-l", "kubernetes.io/service-name=nginx-x-default-x-vcluster-a"),
        *("-o", "jsonpath={.items[*].endpoints[*].targetRef.name}"),
    )
    target = user.until("endpoints of the synced service", lambda: user.on_host(*slices))
    assert target.startswith("nginx-")
    assert target.endswith("-x-default-x-vcluster-a")


@pytest.mark.parametrize("virtual_cluster", ["vcluster-staging-helm"], indirect=True)
def test_seed_003_the_environment(user: User, virtual_cluster: str) -> None:
    """Deployment, Service, ConfigMap, Secret and claim in namespace backstage; only what is used is on the host."""
    user.kubectl("create", "namespace", "backstage")
    user.kubectl("-n", "backstage", "apply", "-f", "-", stdin=BACKSTAGE)
    user.kubectl("-n", "backstage", "create", "secret", "generic", "unused", "--from-literal=key=value")
    user.kubectl("-n", "backstage", "rollout", "status", "deployment/backstage-staging", "--timeout=90s")
    end = "-x-backstage-x-vcluster-staging-helm"
    tenant = Tenant(virtual_cluster, virtual_cluster)
    pods = json.loads(user.kubectl("-n", "backstage", "get", "pods", "-o", "json"))["items"]
    expected = {names.host_name(VirtualKey("backstage", pod["metadata"]["name"]), tenant).name for pod in pods}
    assert expected
    assert expected <= user.names_on_host("pods", virtual_cluster)
    assert f"app-config{end}" in user.names_on_host("configmaps", virtual_cluster)
    secrets = user.names_on_host("secrets", virtual_cluster)
    assert f"postgres{end}" in secrets
    assert f"unused{end}" not in secrets
    assert f"cache{end}" in user.names_on_host("persistentvolumeclaims", virtual_cluster)


@pytest.fixture
def vcluster_dev(user: User) -> Iterator[str]:
    """The values of seed 003, whole and unchanged."""
    name = "vcluster-dev-helm"
    user.on_host("apply", "-f", "-", stdin=SHARED)
    user.vcluster("create", name, "-n", "dev-vcluster", "-f", str(EXAMPLES / "seed-003.yaml"))
    yield name
    user.vcluster("delete", name, "-n", "dev-vcluster")
    user.on_host("delete", "-f", "-", "--wait=false", stdin=SHARED)


def test_seed_003_its_values(user: User, vcluster_dev: str) -> None:
    """Secrets and settings of the host appear, Ingresses and accounts go there, and pods are placed by a scheduler of
    the virtual cluster on nodes of the host.
    """
    value = ("-o", "jsonpath={.data}", "--ignore-not-found")
    user.until("the Secret of the host", lambda: user.kubectl("-n", "nextjs", "get", "secret", "session", *value))
    user.until("the shared Secret", lambda: user.kubectl("-n", "config", "get", "secret", "registry", *value))
    settings = user.until("settings", lambda: user.kubectl("-n", "config", "get", "configmap", "flags", *value))
    assert json.loads(settings) == {"color": "blue"}
    assert "elsewhere" not in user.kubectl("get", "secrets", "-A", "-o", "name")
    user.until("the host's IngressClass", lambda: "nginx" in user.kubectl("get", "ingressclasses", "-o", "name"))

    nodes = json.loads(user.on_host("get", "nodes", "-o", "json"))["items"]
    node = nodes[-1]["metadata"]["name"]
    user.until("the nodes of the host", lambda: node in user.kubectl("get", "nodes", "-o", "name"))
    # the host's scheduler knows nothing of this label
    user.kubectl("label", "node", node, "chosen-by=the-virtual-cluster")
    user.kubectl("-n", "nextjs", "apply", "-f", "-", stdin=NEXTJS)
    user.kubectl("-n", "nextjs", "rollout", "status", "deployment/nextjs", "--timeout=90s")

    end = f"-x-nextjs-x-{vcluster_dev}"
    pods = json.loads(user.on_host("-n", "dev-vcluster", "get", "pods", "-o", "json"))["items"]
    (pod,) = [one for one in pods if one["metadata"]["name"].startswith("nextjs-")]
    assert pod["spec"]["nodeName"] == node
    assert pod["spec"]["serviceAccountName"] == f"nextjs{end}"
    assert f"nextjs{end}" in user.names_on_host("ingresses", "dev-vcluster")
    assert f"nextjs{end}" in user.names_on_host("serviceaccounts", "dev-vcluster")
    assert f"session{end}" in user.names_on_host("secrets", "dev-vcluster")
