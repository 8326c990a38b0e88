"""The rows of the state table `clv_parameters`: what a fit leaves behind."""

from dataclasses import asdict, dataclass, fields
from datetime import date

import pyarrow as pa

BG_NBD = "bg_nbd"
MBG_NBD = "mbg_nbd"
GAMMA_GAMMA = "gamma_gamma"

ARROW_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("as_of", pa.date32()),
        ("r", pa.float64()),
        ("alpha", pa.float64()),
        ("a", pa.float64()),
        ("b", pa.float64()),
        ("p", pa.float64()),
        ("q", pa.float64()),
        ("gamma", pa.float64()),
        ("customer_count", pa.int64()),
        ("log_likelihood", pa.float64()),
        ("is_converged", pa.bool_()),
        ("is_at_bounds", pa.bool_()),
        ("series_error", pa.float64()),
        ("spend_correlation", pa.float64()),
        ("is_selected", pa.bool_()),
        ("rejection_reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class ParametersRow:
    """One fitted model at one business date.

    Attributes:
        model: bg_nbd, mbg_nbd or gamma_gamma.
        as_of: business date of the histories.
        r, alpha, a, b: purchase models, time in weeks; None for gamma_gamma.
        p, q, gamma: gamma_gamma, gamma in the reporting currency; None otherwise.
        customer_count: customers the fit rests on.
        log_likelihood: at the optimum; None where nothing was fitted.
        is_converged: the optimiser reached an optimum.
        is_at_bounds: a parameter lies at the edge of the search, so the data do not
            tell it (a base where nobody ever drops out, say).
        series_error: worst relative error of the SQL's series against the exact form,
            one year ahead, over the histories of the fit; None for gamma_gamma.
        spend_correlation: of purchase count and mean amount; Gamma-Gamma assumes none.
        is_selected: the row to score with.
        rejection_reason: why the fit must not be used; None where it may.
    """

    model: str
    as_of: date
    r: float | None = None
    alpha: float | None = None
    a: float | None = None
    b: float | None = None
    p: float | None = None
    q: float | None = None
    gamma: float | None = None
    customer_count: int = 0
    log_likelihood: float | None = None
    is_converged: bool = False
    is_at_bounds: bool = False
    series_error: float | None = None
    spend_correlation: float | None = None
    is_selected: bool = False
    rejection_reason: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the mart may score with this row."""
        return self.rejection_reason is None


def to_arrow(rows: list[ParametersRow]) -> pa.Table:
    """The rows as the state table holds them; column order is the table's."""
    return pa.Table.from_pylist([asdict(row) for row in rows], schema=ARROW_SCHEMA)


assert [field.name for field in fields(ParametersRow)] == ARROW_SCHEMA.names
