"""RuntimeClasses of the host: what pods may ask for; the mirror itself is tested with the IngressClasses."""

from __future__ import annotations

from nestling.kube.resource import PODS, RUNTIME_CLASSES
from tests.support import syncing

LIMITED = 'sync: {fromHost: {runtimeClasses: {enabled: true, selector: {matchLabels: {offered: "yes"}}}}}'


async def test_a_pod_with_a_class_that_is_not_offered_is_refused() -> None:
    world = syncing.World(LIMITED)
    world.host.put(RUNTIME_CLASSES, syncing.obj("sandbox", "", labels={"offered": "yes"}, handler="s"))
    world.host.put(RUNTIME_CLASSES, syncing.obj("privileged", "", handler="p"))
    world.virtual.put(PODS, syncing.pod("good", runtimeClassName="sandbox"))
    world.virtual.put(PODS, syncing.pod("bad", runtimeClassName="privileged"))
    await world.settle()
    assert world.host.names(PODS) == ["good-x-default-x-my-vc"]
    assert world.host.there(PODS, "team-x", "good-x-default-x-my-vc")["spec"]["runtimeClassName"] == "sandbox"
    assert any('runtimeClassName "privileged" is not offered' in event["message"] for event in world.events())
