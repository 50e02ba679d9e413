import pytest

from pipelines.medical.abbreviations import definitions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Atrial fibrillation (AF) was seen.", {"AF": "Atrial fibrillation"}),
        ("a history of deep vein thrombosis (DVT).", {"DVT": "deep vein thrombosis"}),
        ("AF (atrial fibrillation) persisted", {"AF": "atrial fibrillation"}),
        ("hypertension artérielle (HTA)", {"HTA": "hypertension artérielle"}),
        ("chronisch obstruktive Lungenerkrankung (COPD)", {}),
        ("koronare Herzkrankheit (KHK)", {"KHK": "koronare Herzkrankheit"}),
        ("enfermedad pulmonar obstructiva crónica (EPOC)", {"EPOC": "enfermedad pulmonar obstructiva crónica"}),
        ("nevoid basal cell carcinoma syndrome (NBCCS, or Gorlin)", {"NBCCS": "nevoid basal cell carcinoma syndrome"}),
        ("She left (see below). It (the AF) stayed.", {}),
        ("in 2019 (12)", {}),
        ("", {}),
        ("(AF)", {}),
        ("(((((", {}),
    ],
)
def test_definitions_are_found(text, found):
    assert definitions(text) == found


def test_the_first_definition_of_a_short_form_holds():
    text = "atrial fibrillation (AF) and amniotic fluid (AF)"
    assert definitions(text) == {"AF": "atrial fibrillation"}


def test_a_list_without_end_is_bounded():
    assert len(definitions("atrial fibrillation (AF{}) ".format("") * 10_000)) == 1
    assert len(definitions(" ".join(f"alpha beta {i} (AB{i})" for i in range(3000)))) <= 500
