"""Small worlds of people that do not touch, so that one run of the models tries many of them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

Record = dict[str, str | None]
FIRST = ("Ana", "Anna", "Bob", "Robert", "Louis", "Louise", "J.", None)
LAST = ("Ruiz", "Durand", None)
BIRTHDAYS = ("1988-04-02", "1988-02-04", "1958-04-02", None, None)


@dataclass
class World:
    """What the sources hold of a few people, and what was decided about them."""

    name: str
    chance: random.Random
    records: dict[str, Record] = field(default_factory=dict)
    pairs_decided: list[tuple[str, str]] = field(default_factory=list)
    has_lost: bool = False
    """A record was taken out, so an id may be remembered that no record issues any more."""

    def new_record(self, number: int, day: int) -> Record:
        """One of at most three people and their browsers, who share what they can share."""
        pick, of = self.chance.choice, self.chance.randrange
        record: Record = {
            "record_key": f"{pick(('crm', 'pos', 'shop'))}:{self.name}-{number}",
            "first_name": pick(FIRST),
            "last_name": pick(LAST),
            "birth_date": pick(BIRTHDAYS),
            "email": pick((f"{self.name}.{of(3)}@post.example", None)),
            "phone": pick((f"+336{int(self.name[1:]):04d}0{of(2)}77", None, None)),
            "loyalty_id": pick((f"L{self.name}{of(3)}", None, None)),
            "shop_customer_id": pick((f"S{self.name}{of(2)}", None, None, None)),
            "loaded_at": f"2024-01-{day:02d} {of(24):02d}:00:00",
        }
        if self.chance.random() < 0.3:
            browser = ("record_key", "email", "shop_customer_id", "loaded_at")
            record = {name: record[name] for name in browser}
            record |= {"is_anonymous": "true", "cookie_id": f"C{self.name}{of(4)}"}
            record["record_key"] = f"web:{self.name}-{number}"
        return record

    def step(self, number: int) -> None:
        """Records come, change and go; some steps bring nothing."""
        for _ in range(self.chance.choice((0, 1, 2, 3))):
            act = self.chance.random()
            if act < 0.6 or len(self.records) < 3:
                record = self.new_record(len(self.records) + 10 * number, number + 1)
                self.records.setdefault(record["record_key"], record)
            elif act < 0.8:
                key = self.chance.choice(sorted(self.records))
                other = self.new_record(0, number + 1)
                what = self.chance.choice(("email", "phone", "first_name", "birth_date"))
                if what in self.records[key] and what in other:
                    self.records[key] = {**self.records[key], what: other[what]}
            else:
                del self.records[self.chance.choice(sorted(self.records))]
                self.has_lost = True

    def pair_to_decide(self) -> tuple[str, str] | None:
        """Two known records, now and then."""
        known = sorted(k for k, r in self.records.items() if not r.get("is_anonymous"))
        if len(known) < 2 or self.chance.random() > 0.15:
            return None
        one, other = self.chance.sample(known, 2)
        self.pairs_decided.append((one, other))
        return one, other


def make_worlds(count: int, seed: int) -> list[World]:
    """Worlds that begin empty."""
    return [World(f"w{n}", random.Random(f"{seed} {n}")) for n in range(count)]


def all_records(worlds: Iterable[World]) -> list[Record]:
    """The records of all worlds."""
    return [record for world in worlds for record in world.records.values()]


def world_of(record_key: str) -> str:
    """Name of the world a record is of."""
    return record_key.split(":")[1].split("-")[0]
