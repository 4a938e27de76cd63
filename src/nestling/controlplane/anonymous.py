"""What a request without credentials may reach on an API server that we start: its health, nothing else."""

from __future__ import annotations

import json
from typing import Final

#: Probes of kubelets, load balancers and supervisors carry no credentials.
HEALTH_PATHS: Final = ("/livez", "/readyz", "/healthz")


def authentication_file(minor: int) -> str:
    """The API server's authentication file for Kubernetes 1.``minor``.

    The field is on by default since 1.32; the version ``v1`` of the file exists since 1.34.
    """
    content = {
        "apiVersion": f"apiserver.config.k8s.io/{'v1' if minor >= 34 else 'v1beta1'}",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": True, "conditions": [{"path": path} for path in HEALTH_PATHS]},
    }
    return json.dumps(content, indent=2) + "\n"
