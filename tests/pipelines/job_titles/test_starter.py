"""The occupations that ship: complete, and each title under one of them."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from pipelines.sources import read_terminology
from pipelines.terminology import Concept, Terminology

STARTER = Path(__file__).parents[3] / "pipelines" / "job_titles" / "starter.csv"
LANGUAGES = ("en", "de", "fr", "es")


@cache
def starter() -> Terminology:
    return read_terminology(STARTER, format="csv", name="isco08")


def unit_groups() -> list[Concept]:
    return [concept for concept in starter().concepts if not concept.abstract]


def test_all_436_unit_groups_and_183_groups_above_are_there():
    assert len(unit_groups()) == 436
    abstract = [concept for concept in starter().concepts if concept.abstract]
    assert Counter(len(concept.codes["isco-08"]) for concept in abstract) == {1: 10, 2: 43, 3: 130}


def test_every_code_leads_up_to_its_major_group():
    for concept in starter().concepts:
        code = concept.codes["isco-08"]
        assert concept.id == f"ISCO08:{code}"
        assert starter().ancestors(concept.id) == [f"ISCO08:{code[:n]}" for n in range(len(code) - 1, 0, -1)]


def test_no_group_above_is_childless():
    assert all(starter().children.get(concept.id) for concept in starter().concepts if concept.abstract)


@pytest.mark.parametrize(("language", "fewest"), [("en", 7), ("de", 2), ("fr", 2), ("es", 2)])
def test_every_unit_group_has_titles_in_every_language(language: str, fewest: int):
    """English counts the group's own name too."""
    counts = {c.id: sum(term.language == language for term in c.terms) for c in unit_groups()}
    assert min(counts.values()) >= fewest, min(counts, key=counts.__getitem__)


def test_groups_above_are_named_in_every_language():
    for concept in starter().concepts:
        if concept.abstract:
            assert {term.language for term in concept.terms} == set(LANGUAGES)


def test_every_unit_group_has_skills():
    assert min(len(concept.skills) for concept in unit_groups()) >= 4


def test_a_title_stands_under_one_unit_group_in_each_language():
    owners: dict[tuple[str | None, str], set[str]] = {}
    for concept in unit_groups():
        for term in concept.terms:
            owners.setdefault((term.language, term.text.casefold()), set()).add(concept.id)
    assert {title: ids for title, ids in owners.items() if len(ids) > 1} == {}


def test_titles_are_single_titles():
    """No list, no bracketed or slashed ending: those are what prepare has to take off a vacancy's title."""
    odd = re.compile(r"[;|\t]|\((?:m|f|w|d)\b|/in\b|/e\b|/a\b|/ère\b")
    assert [term.text for concept in unit_groups() for term in concept.terms if odd.search(term.text)] == []
