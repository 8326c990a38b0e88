"""Members of a static HubSpot list.

Members are record ids. A person's contact is found by e-mail (or by our unique property, with
``match_on``) the first time, and by the id in the ledger from then on.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from orchestration.destinations._hubspot import NOT_THERE, Portal
from orchestration.destinations.base import Outcome, Row, Unanswered
from orchestration.sync.spec import SyncSpec


class Members:
    """The list ``options.list_id``. ``create`` makes the contacts that are missing."""

    def __init__(
        self, spec: SyncSpec, portal: Portal, create: Callable[[list[Row]], list[Outcome]] | None
    ) -> None:
        self._list_id = spec.options["list_id"]
        self._match_on = spec.match_on or spec.key
        self._portal = portal
        self._create = create

    def add(self, rows: Sequence[Row], ids: Mapping[str, str]) -> list[Outcome]:
        """Make members of rows, of which some ids are known."""
        gone, _ = self._change("add", {row.key: ids[row.key] for row in rows if row.key in ids})
        stale = {outcome.key for outcome in gone if outcome.error_code == NOT_THERE}
        # No id yet, or the contact of that id was deleted or merged into another.
        unmatched = [row for row in rows if row.key not in ids or row.key in stale]
        found, outcomes = self._match(unmatched)
        known = [outcome for outcome in gone if outcome.key not in stale]
        added, _ = self._change("add", found)
        return known + outcomes + added

    def remove(
        self, ids: Mapping[str, str], locate: Callable[[Collection[str]], Mapping[str, str]]
    ) -> list[Outcome]:
        """Who is not a member, or not in HubSpot at all, is delivered: nobody of whom HubSpot
        does not say that he was removed, before ``locate`` has said where his contact is now."""
        outcomes, left = self._change("remove", dict(ids))
        now = locate(left) if left else {}
        moved = {key: record_id for key, record_id in now.items() if record_id != ids[key]}
        again, _ = self._change("remove", moved)
        settled = {outcome.key: outcome for outcome in again}
        settled |= {key: Outcome.delivered(key) for key in left if key not in now}
        return [settled.get(outcome.key, outcome) for outcome in outcomes]

    def _match(self, rows: list[Row]) -> tuple[dict[str, str], list[Outcome]]:
        """Record ids by row key, and what became of rows that have none."""
        wanted = {row.key: row.values.get(self._match_on) or "" for row in rows}
        contacts = self._portal.find(self._match_on, [v for v in wanted.values() if v])
        found = {key: contacts[v]["id"] for key, v in wanted.items() if v in contacts}
        missing = [row for row in rows if row.key not in found]
        if not self._create:
            return found, [Outcome.rejected(row.key, NOT_THERE) for row in missing]
        made = self._create(missing)
        found |= {o.key: o.remote_id for o in made if o.status == "delivered" and o.remote_id}
        return found, [outcome for outcome in made if outcome.key not in found]

    def _change(self, verb: str, ids: dict[str, str]) -> tuple[list[Outcome], set[str]]:
        """Outcomes, and the keys of whom HubSpot has not changed: there was nothing to change,
        or not under this id."""
        if not ids:
            return [], set()
        try:
            changed, missing = self._portal.change_members(self._list_id, verb, ids.values())
        except Unanswered as unanswered:
            # The ids are kept: a removal after this has no e-mail to find the contact by.
            return [
                Outcome(key, "unknown", record_id, "transient", unanswered.code)
                for key, record_id in ids.items()
            ], set()
        unchanged = {key for key, record_id in ids.items() if record_id not in changed}
        return [
            Outcome.rejected(key, NOT_THERE)
            if record_id in missing
            else Outcome.delivered(key, record_id)
            for key, record_id in ids.items()
        ], unchanged
