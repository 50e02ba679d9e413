from importlib import import_module

import pytest

from pipelines.medical.starter import HPO, ICD, packaged, starter, with_everyday_names
from pipelines.sources.installed import PACKAGES, is_installed
from pipelines.terminology import Concept, Term, Terminology


def named(name, *concepts):
    return Terminology(name, version="1", concepts=concepts)


def test_everyday_names_join_the_concept_of_their_id():
    big = named("big", Concept("HP:1", "Pyrexia", [Term("Pyrexia", "en", "preferred")], replaces=["HP:0"]))
    ours = named(
        "ours",
        Concept("HP:1", "Fever", [Term("Fever", "en", "preferred"), Term("PYREXIA", "en"), Term("Fieber", "de")]),
        Concept("HP:0", "Heat", [Term("Heat", "en", "preferred")]),
        Concept("HP:9", "Unknown there", [Term("x", "en")]),
    )
    joined = with_everyday_names(big, ours)
    (concept,) = joined.concepts
    assert (concept.name, joined.version) == ("Pyrexia", "1+1")
    assert [(t.text, t.kind) for t in concept.terms] == [
        ("Pyrexia", "preferred"),
        ("Fever", "alternative"),
        ("Fieber", "alternative"),
        ("Heat", "alternative"),
    ]
    assert joined.current("HP:0") == "HP:1"


def test_nothing_comes_of_packages_that_are_not_installed(monkeypatch):
    monkeypatch.setattr(import_module("pipelines.medical.starter"), "is_installed", lambda _name: False)
    assert packaged() == []


@pytest.mark.slow
@pytest.mark.skipif(not all(map(is_installed, PACKAGES)), reason="the extra medical is not installed")
def test_the_packages_bring_hpo_and_icd():
    hpo, icd = packaged()
    assert (hpo.name, icd.name) == (HPO, ICD)
    ours = starter()
    for concept in ours.concepts:
        names = {t.text.casefold() for t in hpo.concept(concept.id).terms}
        assert {t.text.casefold() for t in concept.terms} <= names
    assert len(icd) > 40_000
