"""Retrieval from Python: a collection with a query bank, searched by text and by vector, with and without a correction.

python examples/retrieval.py
"""

import json
import tempfile
from pathlib import Path

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines.retrieval.collection import Asked
from pipelines.retrieval.collections import build_collection, open_collection
from pipelines.retrieval.config import DEFAULT_ENCODER, CollectionConfig

RECIPES = {
    "soup": ("lentil soup with cumin", 40, ["vegan", "warm"]),
    "bread": ("rye bread baked overnight", 600, ["vegan"]),
    "omelette": ("omelette with chives", 10, ["quick", "warm"]),
    "salad": ("cucumber salad with dill", 15, ["vegan", "quick"]),
}
ASKED = ["something warm", "quick supper", "bread without yeast", "what to do with eggs", "lentils", "a cold dish"]


def main() -> None:
    """Build, search, print."""
    library = EncoderLibrary(ArtifactStore(Path("artifacts")), device="cpu")
    encoder = DEFAULT_ENCODER
    if library.missing(encoder):
        print("no encoder is prepared (`cognomen setup`): taking the built-in one, which knows spelling only")
        encoder = "hashing"
    with tempfile.TemporaryDirectory() as folder:
        documents, bank = Path(folder) / "recipes.jsonl", Path(folder) / "asked.jsonl"
        lines = [
            {"id": name, "text": text, "metadata": {"minutes": minutes, "tags": tags}}
            for name, (text, minutes, tags) in RECIPES.items()
        ]
        documents.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        bank.write_text("".join(json.dumps({"text": text}) + "\n" for text in ASKED), encoding="utf-8")
        store = ArtifactStore(Path(folder) / "artifacts")
        config = CollectionConfig(encoder=encoder)
        build_collection("recipes", documents, store=store, encoder_of=library.get, config=config, queries=bank)
        recipes = open_collection("recipes", store=store, encoder_of=library.get)
        print(f"hubness: {recipes.about.hubness.reason}")
        quick = recipes.fields.filter({"minutes": {"lte": 40}, "tags": ["vegan", "quick"]})
        vector = library.get(encoder).encode_query(["lentil stew"])[0]
        asked = [Asked(text="soup of lentils", top_k=2, conditions=quick), Asked(vector=vector, top_k=2)]
        for method in ("none", "is"):
            for found in recipes.search(asked, hubness=method):
                shown = ", ".join(f"{hit.id} {hit.score:.3f} (raw {hit.raw_score:.3f})" for hit in found.hits)
                print(f"{method:5} {found.matched} match: {shown}")


if __name__ == "__main__":
    main()
