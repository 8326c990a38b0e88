"""Somebody who is taken out of sources and memory was never there, as far as identity goes."""

from __future__ import annotations

import pytest

from .identity_project import IdentityProject
from .worlds import Record, all_records, make_worlds

PERSON: list[Record] = [
    {
        "record_key": f"{source}:forgotten",
        "first_name": "Zoe",
        "last_name": "Quist",
        "email": "zoe.quist@elsewhere.example",
        # Older than all others, so that she would be anybody's heir or namesake.
        "loaded_at": "2020-01-01",
    }
    for source in ("crm", "pos", "shop")
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("erasure"))


@pytest.mark.parametrize("threads", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_who_is_erased_was_never_there(project: IdentityProject, threads: int) -> None:
    """And a second erasure finds nothing to do."""
    project.lose_tables()
    worlds = make_worlds(40, seed=threads)
    for world in worlds:
        for number in range(6):
            record = world.new_record(number, number + 1)
            world.records[record["record_key"]] = record
    others = all_records(worlds)

    def resolve(records: list[Record]) -> dict[str, str]:
        return project.resolve(records, remembers=True, threads=threads)

    resolve(others)
    without = project.contents()
    [her] = {resolve([*others, *PERSON])[row["record_key"]] for row in PERSON}
    assert project.contents() != without
    assert project.erase(her)[0] == {row["record_key"] for row in PERSON}
    resolve(others)
    assert project.contents() == without
    assert project.erase(her) == (set(), set())
    resolve(others)
    assert project.contents() == without
