"""Ids over time: records come, change and go, people decide, and nobody loses an id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.identity.decisions import NoSuchSubject, decide, hash_of_value, withdraw
from orchestration.identity.explain import explain_apart, explain_customer, explain_link
from orchestration.warehouse import Warehouse

from .identity_project import IdentityProject

BY = {"author": "Noor", "reason": "asked her"}


def ana(source: str, story: str, **more: str) -> dict[str, str]:
    """A record of the Ana of a story: each story has an Ana of its own."""
    key = {"record_key": f"{source}:{story}", "first_name": "Ana", "last_name": "Ruiz"}
    return {**key, "loaded_at": "2024-02-01", **more}


def crm(story: str) -> dict[str, str]:
    return ana("crm", story, email=f"{story}@post.example", loaded_at="2024-01-01")


def shop(story: str, **more: str) -> dict[str, str]:
    return ana("shop", story, email=f"{story}@post.example", **more)


def pos(story: str) -> dict[str, str]:
    return ana("pos", story, phone=phone(story), loaded_at="2024-03-01")


def phone(story: str) -> str:
    return f"+3460{sum(map(ord, story)):07d}"


def cards() -> list[dict[str, str]]:
    return [ana(f"pos{n}", "cards", loyalty_id=f"L{n}00") for n in range(10, 22)]


def browsers() -> list[dict[str, str]]:
    """One that the Ana of the path typed her address into, and the cookie it had before."""
    new = {"record_key": "web:new", "cookie_id": "new", "previous_cookie_id": "old"}
    old = {"record_key": "web:old", "cookie_id": "old"}
    both = {"is_anonymous": "true", "loaded_at": "2024-04-01"}
    return [{**new, **both, "email": "path@post.example"}, {**old, **both}]


def step_records(step: int) -> list[dict[str, str]]:
    """All stories at once: what the sources hold at a step."""
    stories = {
        "outlives": [
            [crm("outlives"), shop("outlives")],
            [shop("outlives")],
            [shop("outlives"), ana("pos", "outlives", email="outlives@post.example")],
            [crm("outlives"), shop("outlives")],
        ],
        "returns": [[crm("returns")], [], [crm("returns")], [crm("returns")]],
        "merges": [
            [crm("merges"), pos("merges")],
            [crm("merges"), pos("merges"), shop("merges", phone=phone("merges"))],
            [crm("merges"), pos("merges"), shop("merges")],
            [crm("merges"), pos("merges"), shop("merges")],
        ],
        "joined": [[crm("joined"), pos("joined")]] * 4,
        "parted": [[crm("parted"), shop("parted")]] * 2
        + [[crm("parted"), shop("parted"), ana("web", "parted", email="parted@post.example")]] * 2,
        "detached": [[crm("detached"), shop("detached")]] * 4,
        "cards": [cards()] * 4,
        "path": [[crm("path"), pos("path"), shop("path", phone=phone("path")), *browsers()]] * 4,
    }
    return [record for steps in stories.values() for record in steps[step]]


def decide_after(step: int, warehouse: Warehouse) -> None:
    """What people decide between a step and the next."""
    if step == 0:
        decide(warehouse, "same", "pos:joined", other_record_key="crm:joined", **BY)
        decide(warehouse, "different", "crm:parted", other_record_key="shop:parted", **BY)
        borrowed = hash_of_value("detached@post.example")
        about = {"identifier_type": "email", "value_hash": borrowed}
        decide(warehouse, "detach", "shop:detached", **about, **BY)
        for card in cards()[1:]:
            key = card["record_key"]
            decide(warehouse, "same", cards()[0]["record_key"], other_record_key=key, **BY)
    if step == 1:
        withdraw(warehouse, 1, **BY)


@dataclass
class Told:
    """What the models say after a step."""

    customers: dict[str, str]
    redirects: dict[str, str | None]
    changes: dict[str, tuple] = field(default_factory=dict)
    """By id that began or ended in the step: type, other id, cause."""
    tables: dict[str, list[tuple]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("customer_ids"))


def on(project: IdentityProject, act, *arguments, **options) -> Any:
    """Call a function of the project on this warehouse."""
    with project.environment(), Warehouse.open() as warehouse:
        return act(warehouse, *arguments, **options)


def redirects(project: IdentityProject) -> dict[str, str | None]:
    sql = "select customer_id, current_customer_id from identity.customer_id_redirects"
    return dict(project.query(sql))


@pytest.fixture(scope="module")
def told(project: IdentityProject) -> list[Told]:
    """Every step of every story."""
    result = []
    for step in range(4):
        customers = project.resolve(step_records(step), remembers=True)
        changes = project.query(
            "select customer_id, change_type, other_customer_id, cause"
            f" from identity.customer_id_changes where run_number = {step + 1}"
        )
        names = ("identity_rejected_links", "identity_review_queue")
        names += ("customer_identifier_rejections",)
        tables = {name: project.query(f"from identity.{name} order by all") for name in names}
        by_id = {row[0]: row[1:] for row in changes}
        result.append(Told(customers, redirects(project), by_id, tables))
        on(project, lambda warehouse, step=step: decide_after(step, warehouse))
    return result


def test_a_customer_outlives_the_record_it_is_named_after(told) -> None:
    ids = [step.customers["shop:outlives"] for step in told]
    assert ids == [told[0].customers["crm:outlives"]] * 4
    assert told[2].customers["pos:outlives"] == ids[0]
    # The record comes back, as a re-sent file does.
    assert told[3].customers["crm:outlives"] == ids[0]


def test_a_retired_id_leads_nowhere_and_comes_back_with_its_record(told) -> None:
    issued = told[0].customers["crm:returns"]
    assert [step.redirects[issued] for step in told] == [issued, None, issued, issued]
    assert told[1].changes[issued] == ("retired", None, "record_removed")
    assert told[2].changes[issued] == ("revived", None, "record_added")
    assert told[2].customers["crm:returns"] == issued


def test_a_merge_and_its_end_are_told_and_redirected(told) -> None:
    elder, younger = told[0].customers["crm:merges"], told[0].customers["pos:merges"]
    assert told[1].changes[younger] == ("merged", elder, "record_added")
    assert told[1].redirects[younger] == elder
    assert told[2].changes[younger] == ("revived", elder, "evidence_changed")
    assert told[2].customers["pos:merges"] == told[2].redirects[younger] == younger


def test_a_decision_joins_and_its_withdrawal_parts(told) -> None:
    elder, younger = told[0].customers["crm:joined"], told[0].customers["pos:joined"]
    assert elder != younger
    assert told[1].customers["pos:joined"] == elder
    assert told[1].changes[younger] == ("merged", elder, "decision")
    assert told[2].changes[younger] == ("revived", elder, "decision")
    assert told[2].customers["pos:joined"] == younger


def test_a_decision_keeps_apart_what_evidence_would_join(told, project) -> None:
    assert told[0].customers["crm:parted"] == told[0].customers["shop:parted"]
    for step in told[1:]:
        assert step.customers["crm:parted"] != step.customers["shop:parted"]
    assert told[1].changes[told[1].customers["shop:parted"]][0] == "split"
    assert ("email", "decided_apart") in {
        (row[4], row[6]) for row in told[1].tables["identity_rejected_links"]
    }
    answer = on(project, explain_apart, "crm:parted", "shop:parted")
    assert {reason["kind"] for reason in answer.reasons} >= {"decision", "rejected_link"}


def test_a_detached_value_joins_no_more(told) -> None:
    assert told[0].customers["crm:detached"] == told[0].customers["shop:detached"]
    assert told[1].customers["crm:detached"] != told[1].customers["shop:detached"]
    rejections = told[1].tables["customer_identifier_rejections"]
    assert ("shop:detached", "detached") in {(row[0], row[-1]) for row in rejections}


def test_what_people_decide_fails_no_data_test(told, project) -> None:
    """A reason that a test of accepted values does not know stops every build for as long as the
    decision is in force."""
    project.invoke("test", "--select", "path:models/identity,test_type:data")


def test_people_decide_even_against_a_rule_and_it_is_seen(told) -> None:
    keys = [card["record_key"] for card in cards()]
    assert len({told[0].customers[key] for key in keys}) == len(keys)
    assert len({told[1].customers[key] for key in keys}) == 1
    queue = told[1].tables["identity_review_queue"]
    assert "decision_breaks_rule" in {row[0] for row in queue}


def test_the_path_of_evidence_is_the_shortest_and_masked(told, project) -> None:
    answer = on(project, explain_link, "crm:path", "pos:path")
    assert [link.rule for link in answer.path] == ["email", "phone"]
    assert answer.path[0].value == "p***@p***.example"
    whole = on(project, explain_customer, told[0].customers["pos:path"])
    known = {"crm:path", "pos:path", "shop:path"}
    assert {r["record_key"] for r in whole.records} == known | {"web:new", "web:old"}
    browser = on(project, explain_link, "web:old", "pos:path")
    assert [(link.rule, link.tier) for link in browser.path] == [
        ("cookie_id", "attached"),
        ("email", "attached"),
        ("email", "exact"),
        ("phone", "exact"),
    ]
    assert "path@post.example" not in str(whole)
    former = told[0].customers[cards()[1]["record_key"]]
    assert on(project, explain_customer, former).customer_id == told[3].redirects[former] != former


def test_a_decision_about_nothing_is_refused(told, project) -> None:
    about = {"identifier_type": "email", "value_hash": "0" * 64}
    with pytest.raises(NoSuchSubject, match="crm:nobody"):
        on(project, decide, "same", "crm:path", other_record_key="crm:nobody", **BY)
    with pytest.raises(NoSuchSubject, match="no such email"):
        on(project, decide, "detach", "crm:path", **about, **BY)
    with pytest.raises(ValueError, match="author"):
        on(project, decide, "same", "crm:path", other_record_key="pos:path", author="", reason="x")
    with pytest.raises(NoSuchSubject, match="no decision 99"):
        on(project, withdraw, 99, **BY)


@pytest.mark.parametrize("ends", [("crm:path", ""), ("", "crm:path")])
def test_an_empty_key_is_no_record(told, project, ends) -> None:
    """A shell leaves it where a variable is not set."""
    written = "select count(*) from state.identity_decisions"
    before = project.query(written)
    with project.environment():
        done = CliRunner().invoke(app, ["identity", "link", *ends, "--author=A", "--reason=b"])
    assert done.exit_code == 2
    assert "no record ''" in done.output
    assert project.query(written) == before


@pytest.mark.parametrize("nothing", ["", " ", "\u00a0", "\u200b\u200d", "\ufeff \u2060"])
@pytest.mark.parametrize("missing", ["author", "reason"])
def test_who_decides_and_why_can_be_read(told, project, missing, nothing) -> None:
    by = {**BY, missing: nothing}
    with pytest.raises(ValueError, match="an author and a reason"):
        on(project, decide, "same", "crm:path", other_record_key="pos:path", **by)
    with pytest.raises(ValueError, match="an author and a reason"):
        on(project, withdraw, 2, **by)


@pytest.mark.parametrize("decision", ["same", "different"])
def test_nothing_is_decided_about_a_browser(told, project, decision) -> None:
    """The models would not do it, and nobody would hear of that."""
    with pytest.raises(ValueError, match="web:old is anonymous"):
        on(project, decide, decision, "crm:path", other_record_key="web:old", **BY)
    with pytest.raises(ValueError, match="web:old is anonymous"):
        on(project, decide, decision, "web:old", other_record_key="crm:path", **BY)


def test_only_what_is_in_force_is_withdrawn(told, project) -> None:
    """Else the withdrawal of what no longer holds would end what does."""
    first = on(project, decide, "same", "crm:path", other_record_key="pos:merges", **BY)
    newer = on(project, decide, "different", "pos:merges", other_record_key="crm:path", **BY)
    with pytest.raises(NoSuchSubject, match=f"{first} is not in force: {newer} about the same is"):
        on(project, withdraw, first, **BY)
    taken_back = on(project, withdraw, newer, **BY)
    assert taken_back == newer + 1
    for number in (first, newer, taken_back):
        with pytest.raises(NoSuchSubject, match=f"nothing is in force .* {taken_back} is a with"):
            on(project, withdraw, number, **BY)


def test_a_browser_may_be_told_that_an_address_is_not_its_own(told, project) -> None:
    about = {"identifier_type": "email", "value_hash": hash_of_value("path@post.example")}
    assert on(project, decide, "detach", "web:new", **about, **BY)
