"""Clinical text from Python: build the starter with what is prepared (or the built-in encoder), link two notes.

python examples/medical.py
"""

import tempfile
from pathlib import Path

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build
from pipelines.results import Options, Request
from pipelines.terminology import Concept, Term, Terminology

NOTES = (
    "No fever. The child has had seizures since birth; her father has diabetes.",
    "Starke Kopfschmerzen, Fieber wird verneint. Verdacht auf Lungenembolie.",
)


def terminology() -> Terminology:
    """Your own codes: five findings in two languages."""
    named = {
        "MY:1": ("Fever", "Fieber"),
        "MY:2": ("Seizure", "Krampfanfall"),
        "MY:3": ("Diabetes", "Diabetes"),
        "MY:4": ("Headache", "Kopfschmerzen"),
        "MY:5": ("Pulmonary embolism", "Lungenembolie"),
    }
    return Terminology(
        "mine",
        version="1",
        concepts=[Concept(i, en, [Term(en, "en", "preferred"), Term(de, "de")]) for i, (en, de) in named.items()],
    )


def main() -> None:
    """Build, ask, print."""
    spec = registry.spec("medical")
    with tempfile.TemporaryDirectory() as folder:
        library = EncoderLibrary(ArtifactStore(Path("artifacts")), device="cpu")
        config = spec.config()
        if library.missing(config.encoder):
            print("no encoder is prepared (`cognomen setup`): taking the built-in one, which knows spelling only")
            config = spec.config(encoder="hashing", centred=[], aligned=[])
        built = build(
            spec, terminology(), encoder=library.get(config.encoder), store=ArtifactStore(Path(folder)), config=config
        )
        results = built.pipeline.run([Request(note, options=Options(top_k=1)) for note in NOTES])
        for note, result in zip(NOTES, results, strict=True):
            print(f"{result.language}: {note}")
            for linked in result.mentions:
                mention, decision = linked.mention, linked.decision
                said = [key for key in ("negated", "hypothetical") if mention.facts[key]]
                said += ["family"] if mention.facts["experiencer"] == "family" else []
                print(f"  {mention.start:3}-{mention.end:<3} {mention.text:15} {decision.name or 'NIL':20} {said}")


if __name__ == "__main__":
    main()
