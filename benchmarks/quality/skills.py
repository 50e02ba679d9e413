"""Title against title with skills: relevant ones, none, irrelevant ones, both; and how the weights were chosen.

    python -m benchmarks.quality.skills --artifacts artifacts --cache DIR

Needs ../shared/titles/onet_27 and the prepared encoders. Writes benchmarks/results/skills.json. About five CPU-minutes.

Titles and skills are O*NET's: an alternate title of an occupation that training kept out (a tenth, by checksum), its own row
hidden, and six of that occupation's technology skills and tools; irrelevant skills are another such occupation's. Searched are
the titles of these occupations and of 300 others, exactly. Weights were chosen on one half of the occupations and are
reported on the other.

O*NET says which skills belong to an *occupation*: these figures show that skills are used rightly, not what adverts would gain.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.common import paired, reciprocal, save, summary
from benchmarks.quality.titles_data import TITLES
from benchmarks.quality.vacancysbert import KeepingLibrary
from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.aggregation import KernelVote
from pipelines.config import PipelineConfig
from pipelines.encoding import TextEncoding, centred, encode_rows
from pipelines.job_titles.pipeline import TitleWithContext, row_text
from pipelines.job_titles.skills import SkillFinder
from pipelines.results import Mention
from pipelines.sources import read_terminology
from pipelines.term_pairs import held_out
from pipelines.terminology import Terminology

SPEC = registry.spec("job-titles")
KEPT_OUT, OTHERS, QUERIES, SKILLS = 0.1, 300, 1200, 6
KINDS = ("relevant", "irrelevant", "half of each", "relevant, in a description")
ALWAYS = (-2.0, -1.0)
GRID = [(w, ALWAYS) for w in (0.1, 0.2, 0.3, 0.5)] + [
    (w, (low, high)) for w in (0.3, 0.6, 0.9) for low, high in ((0.05, 0.25), (0.1, 0.2), (0.1, 0.3), (0.15, 0.3))
]
console = Console()


class Material:
    """The titles asked for, with every kind of skills beside them."""

    def __init__(self) -> None:
        everything = read_terminology(TITLES / "onet_27", format="onet", name="onet")
        rng = np.random.default_rng(0)
        named = [c for c in everything.concepts if not c.abstract and len(c.skills) >= SKILLS]
        held = [c for c in named if held_out(c.id, KEPT_OUT)]
        others = [c for c in named if not held_out(c.id, KEPT_OUT)]
        chosen = [others[i] for i in rng.permutation(len(others))[:OTHERS]]
        self.terminology = Terminology("onet-part", version=everything.version, concepts=[*held, *chosen])
        rows = np.flatnonzero(self.terminology.row_concepts < len(held))
        self.rows = rng.permutation(rows)[:QUERIES]
        self.concepts = self.terminology.row_concepts[self.rows]
        self.dev = np.isin(self.concepts, rng.permutation(len(held))[: len(held) // 2])

        def some(concept: int) -> list[str]:
            skills = self.terminology.concepts[concept].skills
            return [skills[i] for i in rng.permutation(len(skills))[:SKILLS]]

        relevant = [some(c) for c in self.concepts]
        irrelevant = [some((c + 1 + int(rng.integers(len(held) - 1))) % len(held)) for c in self.concepts]
        self.context: dict[str, list[dict[str, str]]] = {
            "relevant": [{"skills": ", ".join(s)} for s in relevant],
            "irrelevant": [{"skills": ", ".join(s)} for s in irrelevant],
            "half of each": [
                {"skills": ", ".join([*a[:3], *b[:3]])} for a, b in zip(relevant, irrelevant, strict=True)
            ],
            "relevant, in a description": [
                {
                    "description": f"We are looking for somebody to join our team. You know {', '.join(s)}. We offer a lot."
                }
                for s in relevant
            ],
        }

    def mentions(self, kind: str | None) -> list[Mention]:
        titles = [row_text(self.terminology.row_terms[r].text) for r in self.rows]
        context = self.context[kind] if kind else [{} for _ in titles]
        return [Mention(t, t, 0, len(t), language="en", context=c) for t, c in zip(titles, context, strict=True)]


def for_english() -> PipelineConfig:
    """The options, with the encoders that count for English alone."""
    config = SPEC.config()
    weights = config.blocks.by_language["en"]
    names = [name for name, weight in zip(config.encoder.split("+"), weights, strict=True) if weight]
    blocks = {"default": [weight for weight in weights if weight]}
    return SPEC.config(encoder="+".join(names), blocks=blocks)


class Search:
    """Exact search over the material's terminology with its rows encoded once."""

    def __init__(self, material: Material, library: KeepingLibrary) -> None:
        self.material = material
        config = for_english()
        encoder = library.get(config.encoder)
        texts = [row_text(t.text) for t in material.terminology.row_terms]
        self._vectors, means = encode_rows(texts, encoder=encoder, config=config)
        self._encoding = TextEncoding(centred(encoder, means), config.blocks)
        self._finder = SkillFinder(s for c in material.terminology.concepts for s in c.skills)
        self._vote = KernelVote(config.temperature, config.length_penalty)

    def hits(self, kind: str | None, weights: dict[str, float], agreement: tuple[float, float]) -> NDArray[np.float64]:
        """Per title the 0-based rank of its occupation."""
        encode = TitleWithContext(self._encoding, weights=weights, agreement=agreement, finder=self._finder)
        scores = encode.encode(self.material.mentions(kind)).vectors @ self._vectors.T
        scores[np.arange(len(scores)), self.material.rows] = -1  # its own row
        counts = self.material.terminology.row_counts
        found = []
        for row, right in zip(scores, self.material.concepts, strict=True):
            voted = self._vote.concept_scores(row, self.material.terminology.row_concepts, counts)
            found.append(float((voted > voted[right]).sum()))
        return np.array(found)


def choose(search: Search) -> dict[str, Any]:
    """The grid on the development half: mean change of reciprocal rank per kind."""
    dev = search.material.dev
    alone = reciprocal(search.hits(None, {}, ALWAYS))[dev]
    points = {}
    for weight, agreement in GRID:
        weights = {"skills": weight, "description": weight / 2}
        gains = {k: float((reciprocal(search.hits(k, weights, agreement))[dev] - alone).mean()) for k in KINDS}
        label = f"w {weight:g}, " + (
            "always" if agreement == ALWAYS else f"cosine {agreement[0]:g} to {agreement[1]:g}"
        )
        points[label] = {k: round(v, 4) for k, v in gains.items()}
        console.print(label, points[label])
    return points


def measure(search: Search) -> dict[str, Any]:
    """As configured, on the other half."""
    config, test = SPEC.config(), ~search.material.dev
    weights = {"skills": config.skills_weight, "description": config.description_weight}
    agreement = (config.agreement_from, config.agreement_full)
    alone = search.hits(None, weights, agreement)[test]
    found = {kind: search.hits(kind, weights, agreement)[test] for kind in KINDS}
    return {
        "n": int(test.sum()),
        "methods": {"title alone": summary(alone)} | {f"with skills: {k}": summary(h) for k, h in found.items()},
        "against title alone": {
            k: {"MRR": paired(reciprocal(h), reciprocal(alone)), "R@1": paired(1.0 * (h < 1), 1.0 * (alone < 1))}
            for k, h in found.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--cache", type=Path, required=True, help="a folder for vectors")
    arguments = parser.parse_args()
    library = KeepingLibrary(ArtifactStore(arguments.artifacts), arguments.cache)
    search = Search(Material(), library)
    library.keep()
    chosen, measured = choose(search), measure(search)
    library.keep()
    console.print(measured)
    save("skills", {"config": SPEC.config().model_dump(), "development half": chosen, **measured})


if __name__ == "__main__":
    main()
