"""Small real things that many tests share."""

from pathlib import Path

import pytest

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines.terminology import Concept, Term, Terminology

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

OCCUPATIONS = {
    "2512": (
        "Software developers",
        ["software developer", "software engineer", "backend developer", "Softwareentwickler"],
    ),
    "2513": ("Web developers", ["web developer", "frontend developer", "Webentwickler"]),
    "2221": ("Nursing professionals", ["registered nurse", "nurse", "staff nurse", "Krankenschwester"]),
    "2211": ("General practitioners", ["general practitioner", "family doctor", "Hausarzt"]),
    "7126": ("Plumbers", ["plumber", "pipe fitter", "heating engineer", "Klempner"]),
    "7411": ("Electricians", ["electrician", "electrical installer", "Elektriker"]),
    "5120": ("Cooks", ["cook", "line cook", "kitchen cook", "Koch"]),
    "5131": ("Waiters", ["waiter", "waitress", "Kellner"]),
    "8322": ("Car and van drivers", ["taxi driver", "van driver", "Taxifahrer"]),
    "8332": ("Truck drivers", ["truck driver", "lorry driver", "HGV driver", "Lkw-Fahrer"]),
    "2341": ("Primary school teachers", ["primary school teacher", "elementary teacher", "Grundschullehrer"]),
    "3313": ("Accounting associates", ["bookkeeper", "accounting assistant", "Buchhalter"]),
}
GERMAN = {"Softwareentwickler", "Webentwickler", "Krankenschwester", "Hausarzt", "Klempner", "Elektriker", "Koch",
          "Kellner", "Taxifahrer", "Lkw-Fahrer", "Grundschullehrer", "Buchhalter"}  # fmt: skip


def twelve_occupations() -> Terminology:
    """12 occupations in English and German below 4 abstract groups."""
    concepts = [
        Concept(
            f"T:{code}",
            name,
            [
                Term(text, "de" if text in GERMAN else "en", "alternative" if i else "preferred")
                for i, text in enumerate(terms)
            ],
            parents=[f"T:{code[0]}"],
            codes={"isco-08": code},
            semantic_types=["occupation", "manual" if code[0] in "578" else "office"],
        )
        for code, (name, terms) in OCCUPATIONS.items()
    ]
    groups = [
        Concept(f"T:{c}", name, [Term(name, "en", "preferred")], abstract=True)
        for c, name in {
            "2": "Professionals",
            "3": "Technicians",
            "5": "Service workers",
            "7": "Trades",
            "8": "Operators",
        }.items()
    ]
    return Terminology("twelve", version="1", concepts=[*concepts, *groups])


@pytest.fixture(scope="session")
def encoder() -> HashingEncoder:
    return HashingEncoder()


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


@pytest.fixture(scope="session")
def terminology() -> Terminology:
    return twelve_occupations()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The data beside the checkout; a test that asks for it skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def live(tmp_path_factory, terminology):
    """The address of a real service that hosts everything, small; made once for all tests that look from outside."""
    from tests.live import serve_everything

    with serve_everything(tmp_path_factory.mktemp("live"), terminology) as address:
        yield address
