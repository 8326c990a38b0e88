"""The fault catalogue: every case has a script, and each script leaves the invariants whole.

What endpoints answer is in `test_fault_answers.py`, calls in `test_fault_calls.py`, state in
`test_fault_state.py`; processes that die in `test_kills.py`, jobs in `test_jobs.py`, several at
once in `test_races.py`.
"""

import csv
import importlib
from pathlib import Path

from tests.sync.invariants import SCRIPTS

MODULES = (
    "fault_answers",
    "fault_calls",
    "fault_state",
    "kills",
    "jobs",
    "permissions",
    "races",
    "run",
)


def test_every_case_of_the_catalogue_has_a_script(shared_dir: Path) -> None:
    for name in MODULES:
        importlib.import_module(f"tests.sync.test_{name}")
    path = shared_dir / "data/adversarial/destination_faults.csv"
    with path.open(encoding="utf-8", newline="") as file:
        cases = {record["case_id"] for record in csv.DictReader(file)}
    assert set(SCRIPTS) == cases
