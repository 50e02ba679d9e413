"""A client of cognomen over HTTP: sync and async, typed, patient.

    from cognomen_client import Client

    with Client("http://127.0.0.1:8000") as client:
        for result in client.normalize_job_titles(["Sr. Pastry Cook (m/f/d)"]):
            print(result["decision"]["name"])

Answers are plain dictionaries, typed as `cognomen_client.answers` describes them. What the service refuses is raised as
`cognomen_client.errors.Problem`. It needs httpx and nothing of the service itself; pandas, polars and spaCy are taken
up where they are installed.
"""

from cognomen_client.aio import AsyncClient
from cognomen_client.errors import CognomenError, JobFailed, NotReached, Problem
from cognomen_client.sync import Client

__all__ = ["AsyncClient", "Client", "CognomenError", "JobFailed", "NotReached", "Problem"]
