"""How well the language of a short title is guessed, beside lingua (if it is installed), a general detector.

    python -m benchmarks.quality.language

Needs ../shared/titles. Writes benchmarks/results/language.json. A minute.
"""

from collections.abc import Callable, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.common import cpu_seconds, save
from benchmarks.quality.titles_data import MELO, TALENTCLEF, esco_english, jobbert, melo, talentclef
from pipelines.job_titles.cleaning import clean_titles
from pipelines.job_titles.prepare import title_language

SAMPLE = 400
Guess = Callable[[Sequence[str]], list[str | None]]


def lingua(*, high_accuracy: bool) -> Guess | None:
    try:
        from lingua import Language, LanguageDetectorBuilder
    except ModuleNotFoundError:
        return None
    names = ["DANISH", "DUTCH", "ENGLISH", "FRENCH", "GERMAN", "ITALIAN", "POLISH", "PORTUGUESE", "SPANISH", "SWEDISH"]
    builder = LanguageDetectorBuilder.from_languages(*(getattr(Language, name) for name in names))
    detector = (builder if high_accuracy else builder.with_low_accuracy_mode()).with_preloaded_language_models().build()

    def guess(texts: Sequence[str]) -> list[str | None]:
        found = [detector.detect_language_of(text.lower()) for text in texts]
        return [language.iso_code_639_1.name.lower() if language else None for language in found]

    return guess


def main() -> None:
    sets = [melo(name) for name in MELO] + [talentclef(name) for name in TALENTCLEF] + [jobbert(esco_english())]
    guessers = {
        "ours": title_language().guess,
        "lingua, high": lingua(high_accuracy=True),
        "lingua, low": lingua(high_accuracy=False),
    }
    rng = np.random.default_rng(0)
    rows = {}
    for data in sets:
        chosen = rng.permutation(len(data.queries))[:SAMPLE]
        texts = [title.text for title in clean_titles([data.queries[i] for i in chosen])]
        rows[data.name] = {"language": data.language, "n": len(texts)}
        for name, guess in guessers.items():
            if guess is None:
                continue
            with cpu_seconds() as spent:
                guesses = guess(texts)
                rows[data.name][f"{name}: ms"] = round(1000 * spent() / len(texts), 3)
            rows[data.name][f"{name}: right"] = round(np.mean([g == data.language for g in guesses]).item(), 3)
            rows[data.name][f"{name}: English"] = round(np.mean([g == "en" for g in guesses]).item(), 3)
    table = Table("set", *next(iter(rows.values())))
    for name, row in rows.items():
        table.add_row(name, *map(str, row.values()))
    Console(width=200).print(table)
    print(save("language", {"sets": rows}))


if __name__ == "__main__":
    main()
