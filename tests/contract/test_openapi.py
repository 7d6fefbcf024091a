"""A running server does what docs/openapi.json says, whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from ..support.servers import OPENAPI, Server

CONFIG = {
    "checks": {
        # This check wants a 401; Jupyter Server answers 403, which test_auth checks.
        "missing_required_header": {"enabled": False},
    },
    # Unknown parameters are ignored, as unknown fields are.
    "generation": {"allow-extra-parameters": False, "with-security-parameters": False},
}

schema = schemathesis.openapi.from_dict(
    json.loads(OPENAPI.read_text()), config=schemathesis.Config.from_dict(CONFIG)
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of this module's own: some of what is sent changes by itself later."""
    server = Server(tmp_path_factory.mktemp("openapi"))
    try:
        yield server.start()
    finally:
        server.stop()
        server.client.close()


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_description_holds(case: schemathesis.Case, server: Server) -> None:
    case.call_and_validate(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"})
