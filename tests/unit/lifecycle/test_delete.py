from __future__ import annotations

from pathlib import Path

import pytest

from nestling.drivers import base, errors
from nestling.lifecycle import connect, delete
from tests.unit.lifecycle import fakes

REQUEST = base.DeleteRequest()


async def test_delete_removes_the_context_and_goes_back(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    current.files.paths[0].write_text("contexts: [{name: prod, context: {}}]\ncurrent-context: prod\n")
    await connect.connect(current, "my-vc", connect.Access())
    await delete.delete(current, "my-vc", REQUEST)
    assert current.files.contexts() == ["prod"]
    assert current.files.current_context() == "prod"
    assert driver.calls[-1] == "delete my-vc"


async def test_the_context_stays_when_asked(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect(current, "my-vc", connect.Access())
    await delete.delete(current, "my-vc", REQUEST, delete_context=False)
    assert current.files.contexts() == [fakes.cluster().context_name]


async def test_a_context_with_another_name_goes_too(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path, fakes.cluster())
    await connect.connect(current, "my-vc", connect.Access(context_name="mine"))
    await delete.delete(current, "my-vc", REQUEST)
    assert current.files.contexts() == []
    assert current.files.current_context() == ""


async def test_what_is_left_is_listed_and_is_a_failure(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster())
    driver.left = ["Namespace vcluster-my-vc: a finalizer"]
    with pytest.raises(errors.UserError, match="a finalizer"):
        await delete.delete(current, "my-vc", REQUEST)


async def test_an_unknown_name_fails_unless_it_is_to_be_ignored(tmp_path: Path) -> None:
    current, _ = fakes.new_session(tmp_path)
    with pytest.raises(errors.NotFoundError):
        await delete.delete(current, "my-vc", REQUEST)
    await delete.delete(current, "my-vc", REQUEST, ignore_not_found=True)


async def test_one_that_fails_does_not_keep_the_others(tmp_path: Path) -> None:
    current, driver = fakes.new_session(tmp_path, fakes.cluster("a"), fakes.cluster("b"))
    with pytest.raises(errors.NotFoundError):
        await delete.delete_all(current, ["a", "nothing", "b", "a"], REQUEST)
    assert driver.calls == ["delete a", "delete b"]
