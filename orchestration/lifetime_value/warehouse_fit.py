"""The fit between two dbt models: reads the histograms, writes the state table."""

import logging
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from orchestration.lifetime_value.fitting import fit
from orchestration.lifetime_value.parameters import GAMMA_GAMMA, ParametersRow, to_arrow
from orchestration.warehouse import ROOT, Warehouse, compose

logger = logging.getLogger(__name__)

# In order, because sums of doubles depend on it: the same data must give the same bits.
_HISTORIES = (
    "select as_of, series_terms, repeat_count, recency_weeks, age_weeks, customer_count from {r}"
    " order by repeat_count, recency_weeks, age_weeks"
)
_SPENDS = (
    "select repeat_count, mean_repeat_amount, customer_count from {r}"
    " order by repeat_count, mean_repeat_amount"
)


@dataclass(frozen=True)
class FitOutcome:
    """What a fit came to.

    Attributes:
        as_of: business date of the order statistics; None where nobody has an order.
        rows: what was written, one per model.
    """

    as_of: date | None = None
    rows: list[ParametersRow] = field(default_factory=list)

    @property
    def purchase_model(self) -> str | None:
        """The selected purchase model; None where scoring keeps older or default ones."""
        return next((r.model for r in self.rows if r.is_selected and r.model != GAMMA_GAMMA), None)

    @property
    def reasons(self) -> dict[str, str]:
        """Why a model's fit must not be used, by model."""
        return {row.model: row.rejection_reason for row in self.rows if row.rejection_reason}

    def metadata(self) -> dict[str, str | int | float]:
        """The outcome in words and figures, for people and for Dagster."""
        if self.as_of is None:
            return {"purchase_model": "none", "reason": "nobody has an order"}
        facts: dict[str, str | int | float] = {
            "as_of": self.as_of.isoformat(),
            "purchase_model": self.purchase_model or "none: older or default parameters stay",
        }
        for row in self.rows:
            facts[f"{row.model}_customers"] = row.customer_count
            if row.rejection_reason:
                facts[f"{row.model}_rejected"] = row.rejection_reason
            if row.log_likelihood is not None:
                facts[f"{row.model}_log_likelihood"] = round(row.log_likelihood, 3)
            facts |= {
                f"{row.model}_{name}": round(value, 6)
                for name in ("r", "alpha", "a", "b", "p", "q", "gamma", "spend_correlation")
                if (value := getattr(row, name)) is not None
            }
        return facts


def fit_into_warehouse(target: str | None = None, project_dir: Path = ROOT) -> FitOutcome:
    """Fit on the models `clv_histogram` and `clv_spend_histogram`; keep the parameters.

    Replaces the rows of this business date in `state.clv_parameters` and leaves those of
    other dates, so that a past day can be rebuilt with what was known then. All or
    nothing. A base that supports no fit is no error: its rows say why, and the marts go
    on with the newest older fit or the defaults of the seed.

    Args:
        target: target of `profiles.yml`; None for its default.
        project_dir: folder of the dbt project.

    Raises:
        WarehouseError: the histograms are not there or the database refused.
    """
    with Warehouse.open(target, project_dir) as warehouse:
        histories = warehouse.fetch(compose(_HISTORIES, r=warehouse.relation("clv_histogram")))
        if not histories:
            logger.warning("lifetime value: nobody has an order, nothing to fit")
            return FitOutcome()
        spends = warehouse.fetch(compose(_SPENDS, r=warehouse.relation("clv_spend_histogram")))
        as_of = histories[0]["as_of"]
        terms = int(histories[0]["series_terms"])
        outcome = FitOutcome(as_of, fit(histories, spends, as_of, series_terms=terms))
        state = warehouse.relation("state.clv_parameters")
        with warehouse.transaction():
            if warehouse.exists(state):
                warehouse.lock(state)
                warehouse.execute(compose("delete from {r} where as_of = ?", r=state), [as_of])
            warehouse.load(state, to_arrow(outcome.rows), mode="append")
    for model, reason in outcome.reasons.items():
        logger.warning("lifetime value: %s is not used as of %s: %s", model, as_of, reason)
    return outcome
