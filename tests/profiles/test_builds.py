"""dbt's own tests of the profile and segment models, on each engine."""

import random

from tests.fixtures.profile_project import ProfileProject
from tests.profiles.test_golden_profile import random_records, upstream

WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


def test_models_build_with_their_unit_and_data_tests(project: ProfileProject):
    """Without data and with some: unit tests need the tables to be there. On DuckDB the demo runs
    those of the whole project."""
    project.fill()
    project.dbt("build", *(WITHOUT_UNIT_TESTS if project.target == "duckdb" else ()))
    project.fill(**upstream(random_records(random.Random(3), customers=50)))
    project.dbt("build", *WITHOUT_UNIT_TESTS)
