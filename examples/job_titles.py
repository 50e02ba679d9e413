"""Job titles from Python: build the starter with what is prepared (or the built-in encoder), name a few titles.

python examples/job_titles.py
"""

import tempfile
from pathlib import Path

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build
from pipelines.results import Options, Request
from pipelines.terminology import Concept, Term, Terminology


def terminology() -> Terminology:
    """Your own codes: three occupations, any language."""
    return Terminology(
        "mine",
        version="1",
        concepts=[
            Concept("MY:1", "Software developer", [Term("software developer", "en"), Term("Softwareentwickler", "de")]),
            Concept(
                "MY:2", "Nurse", [Term("nurse", "en"), Term("registered nurse", "en"), Term("Krankenpfleger", "de")]
            ),
            Concept(
                "MY:3", "Truck driver", [Term("truck driver", "en"), Term("HGV driver", "en"), Term("Lkw-Fahrer", "de")]
            ),
        ],
    )


def main() -> None:
    """Build, ask, print."""
    spec = registry.spec("job-titles")
    with tempfile.TemporaryDirectory() as folder:
        library = EncoderLibrary(ArtifactStore(Path("artifacts")), device="cpu")
        config = spec.config()
        if library.missing(config.encoder):
            print("no encoder is prepared (`cognomen setup`): taking the built-in one, which knows spelling only")
            config = spec.config(encoder="hashing", blocks={}, centred=[])
        built = build(
            spec, terminology(), encoder=library.get(config.encoder), store=ArtifactStore(Path(folder)), config=config
        )
        titles = ["Senior Software Engineer (m/w/d)", "Staff nurse - nights", "Lkw-Fahrer CE", "free parking"]
        requests = [Request(title, options=Options(min_confidence=0.3)) for title in titles]
        for title, result in zip(titles, built.pipeline.run(requests), strict=True):
            decision = result.mentions[0].decision
            print(
                f"{title:35} {decision.name or 'NIL':20} {decision.confidence:.2f}  {result.mentions[0].mention.query}"
            )


if __name__ == "__main__":
    main()
