"""dbt's own tests of the profile and segment models, on each engine."""

import random

from tests.fixtures.profile_project import ProfileProject
from tests.profiles.test_golden_profile import random_records, upstream


def test_models_build_with_their_unit_and_data_tests(project: ProfileProject):
    """Without data and with some: unit tests need the tables to be there."""
    project.fill()
    project.dbt("build")
    project.fill(**upstream(random_records(random.Random(3), customers=50)))
    project.dbt("build", "--exclude", "resource_type:unit_test")
