"""What job titles learn from vacancies: a title and its skills, a title and its description. No occupation is named."""

from pathlib import Path

import numpy as np

from models.training.pairs import Pair, PairSource
from pipelines.errors import ConfigInvalid
from pipelines.job_titles.cleaning import clean_titles
from pipelines.job_titles.pipeline import row_text
from pipelines.tables import read_rows
from pipelines.term_pairs import drawn, first_words, some_of


def vacancies(path: Path, *, weight: float, name: str) -> tuple[list[PairSource], int]:
    """Titles with their skills and descriptions, and how many vacancies there are.

    Args:
        path: JSONL, CSV or Parquet with `title`, and `skills` (a list, or text separated by ";") or `description`.

    Raises: SourceError for a file of another kind; ConfigInvalid if no row has a title and either of the others.
    """
    rows = [row.values for row in read_rows(path) if row.fault is None]
    titles = [row_text(c.text) for c in clean_titles([str(r.get("title") or "") for r in rows])]
    skills = [(t, _listed(r.get("skills"))) for t, r in zip(titles, rows, strict=True) if t]
    described = [
        (t, first_words(row_text(str(r.get("description") or "")))) for t, r in zip(titles, rows, strict=True) if t
    ]
    skills, described = [s for s in skills if s[1]], [d for d in described if d[1]]
    found = []

    def title_with_skills(rng: np.random.Generator, i: int) -> Pair:
        title, listed = skills[i]
        return Pair(title, row_text(some_of(rng, listed)), title)

    def title_with_description(rng: np.random.Generator, i: int) -> Pair:
        return Pair(described[i][0], described[i][1], described[i][0])

    total = len(skills) + len(described)
    for kind, some, choose in (
        ("skills", skills, title_with_skills),
        ("descriptions", described, title_with_description),
    ):
        if some:
            found.append(PairSource(f"{name} {kind}", weight * len(some) / total, drawn(range(len(some)), choose)))
    if not found:
        raise ConfigInvalid(f"{name}: no row has a title, and skills or a description beside it")
    return found, len(rows)


def _listed(value: object) -> list[str]:
    parts = value.split(";") if isinstance(value, str) else value if isinstance(value, list) else []
    return [text for part in parts if (text := str(part).strip())]
