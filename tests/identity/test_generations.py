"""Father and son of one name: two customers, though they share a mailbox."""

from __future__ import annotations

from orchestration.identity.decisions import decide
from orchestration.warehouse import Warehouse

from .identity_project import CUSTOMERS, IdentityProject
from .worlds import Record


def of_two_generations() -> list[Record]:
    """Jean and his son Jean: with the mailbox of the family; with a mailbox and a card, and a
    record without a birth date that has both; and with an account, which is one person's."""
    father, son = {"birth_date": "1955-03-02"}, {"birth_date": "1985-07-09"}
    mailbox, card = {"email": "chain@post.example"}, {"loyalty_id": "JM77"}
    held = {
        "box": [father | {"email": "box@post.example"}, son | {"email": "box@post.example"}],
        "decided": [father | {"email": "two@post.example"}, son | {"email": "two@post.example"}],
        "chain": [father | mailbox, son | card, mailbox | card],
        "account": [father | {"shop_customer_id": "S77"}, son | {"shop_customer_id": "S77"}],
    }
    return [
        {
            "record_key": f"{source}:{story}",
            "first_name": "Jean",
            "last_name": "Martin",
            **more,
        }
        for story, people in held.items()
        for source, more in zip("bcd", people, strict=False)
    ]


def test_father_and_son_of_one_name_are_two(tmp_path) -> None:
    """Unless somebody knows better, or the key is a system's own for one person."""
    project = IdentityProject(tmp_path, select=CUSTOMERS)
    first = project.resolve(of_two_generations(), remembers=True)
    for story in ("box", "decided", "chain"):
        assert first[f"b:{story}"] != first[f"c:{story}"], story
    assert first["d:chain"] == first["c:chain"], "the card is trusted more"
    assert first["b:account"] == first["c:account"]
    by = {"author": "Noor", "reason": "asked them"}
    with project.environment(), Warehouse.open() as warehouse:
        decide(warehouse, "same", "c:decided", other_record_key="b:decided", **by)
    told = project.resolve(of_two_generations(), remembers=True)
    assert told["b:decided"] == told["c:decided"]
