"""The client, against a live service and against answers in the contract's shapes."""

import httpx
import pytest

from cognomen_client import Client
from cognomen_client.retrying import Retrying


@pytest.fixture
def client(live):
    with Client(live) as client:
        yield client


@pytest.fixture
def answering():
    """A client whose requests a function answers: answering(handler); it waits for nothing."""
    made = []

    def make(handler, **options):
        options = {"retrying": Retrying(first_s=0.0), **options}
        made.append(Client("http://names.test/names", transport=httpx.MockTransport(handler), **options))
        return made[-1]

    yield make
    for client in made:
        client.close()
