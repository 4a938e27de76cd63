"""Resource claims (spec §2.2, row resourceClaims)."""

from __future__ import annotations

import pytest

from nestling.resources.pods import translate
from nestling.syncer import spec as syncer_spec
from tests.unit.resources.pods import builders as b


def test_resource_claims_are_translated() -> None:
    spec = b.spec_of(b.pod(resourceClaims=[{"name": "gpu", "resourceClaimName": "c"}]))
    assert spec["resourceClaims"] == [{"name": "gpu", "resourceClaimName": "c-x-default-x-my-vc"}]


def test_resource_claim_templates_are_translated_when_they_are_synced() -> None:
    spec = b.spec_of(
        b.pod(resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "t"}]), resource_claim_templates=True
    )
    assert spec["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": "t-x-default-x-my-vc"}]


def test_resource_claim_made_by_the_virtual_cluster_is_used() -> None:
    status = {"resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "web-gpu-abc"}]}
    spec = b.spec_of(b.pod(resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "t"}], status=status))
    assert spec["resourceClaims"] == [{"name": "gpu", "resourceClaimName": "web-gpu-abc-x-default-x-my-vc"}]


def test_resource_claim_that_is_not_made_yet_is_waited_for() -> None:
    with pytest.raises(syncer_spec.Waiting, match="resource template t"):
        translate.translate(b.pod_context(), b.pod(resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "t"}]))
