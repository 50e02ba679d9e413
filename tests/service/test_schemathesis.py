"""Every endpoint of /openapi.json over a real socket: all of schemathesis's checks, few examples."""

import time

import jwt
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from service.app import create_app
from service.settings import Settings

EXAMPLES = 15
SECRET = "shared with the gateway of these tests"
# Cases are made while tests are collected, when no service runs that could make a key.
TOKEN = jwt.encode(
    {"sub": "tests", "aud": "cognomen", "exp": time.time() + 86_400, "scope": "admin"}, SECRET, algorithm="HS256"
)
THERE = {"pipeline": "job-titles", "name": "twelve", "concept_id": "T:5120"}
"""Path parameters that exist; anything else would only ever be 404."""
NOT_IN_A_SCHEMA = (
    *("no bank for that hubness", "no such concept", "Nothing is left of it", "page token", "file is not there"),
    *("model-impossible", "not a PDF", "No such parameter", "Nothing here does this kind of job", "unit is not known"),
)
"""What is wrong with a request that follows the schema: it does not go with the data."""

schema = schemathesis.openapi.from_dict(create_app(Settings(require_keys=True)).openapi())
# Headers and query parameters that no route knows are let pass, as HTTP has it.
schema.config.generation.update(allow_extra_parameters=False)
checks = schema.config.checks
# What breaks several rules at once may be refused for its size first.
checks.negative_data_rejection.expected_statuses = [*checks.negative_data_rejection.expected_statuses, 413]
# A deadline of a millisecond passes: the one answer of that kind.
checks.not_a_server_error.expected_statuses = [*checks.not_a_server_error.expected_statuses, 503]


@schema.auth()
class Bearer:
    """schemathesis takes it away to see whether it is needed."""

    def get(self, _case, _context):
        return TOKEN

    def set(self, case, data, _context):
        case.headers["authorization"] = f"Bearer {data}"


@schema.hook
def map_path_parameters(_context, path_parameters):
    """Every other name is one that is there."""
    return path_parameters and {
        name: THERE.get(name, value) if sum(map(ord, str(value))) % 2 else value
        for name, value in path_parameters.items()
    }


@pytest.fixture(scope="module")
def base(over_a_socket, tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    (data / "secret").write_text(SECRET)
    return over_a_socket(data, require_keys=True, jwt_key_file=data / "secret", jwt_algorithm="HS256", body_timeout_s=2)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
def test_every_endpoint_does_as_documented(case, base):
    response = case.call(base_url=base, timeout=20)
    # What a job may be asked for hangs together in more ways than its schema says.
    loose = case.path == "/v1/jobs" or any(words in response.text for words in NOT_IN_A_SCHEMA)
    right = response.status_code == 422 and loose
    excluded = CHECKS.get_by_names(["positive_data_acceptance"]) if right else []
    case.validate_response(response, excluded_checks=excluded)
