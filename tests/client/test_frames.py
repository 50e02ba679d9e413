"""A column in, columns out."""

import pytest

from cognomen_client.frames import normalize_frame

TITLES = ["staff nurse", None, "plumber"]


def test_a_pandas_frame_keeps_its_rows_and_index(client):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"title": TITLES, "n": [1, 2, 3]}, index=[7, 8, 9])
    named = normalize_frame(client, frame, column="title")
    assert list(named.index) == [7, 8, 9]
    assert list(named["n"]) == [1, 2, 3]
    assert named.loc[7, "occupation_concept_id"] == "T:2221"
    assert pandas.isna(named.loc[8, "occupation_name"])
    assert "occupation_name" not in frame


def test_a_polars_frame_keeps_its_rows(client):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"title": TITLES, "lang": ["en", None, "en"]})
    named = normalize_frame(client, frame, column="title", language="lang", prefix="")
    assert named["concept_id"].to_list() == ["T:2221", None, "T:7126"]
    assert named["nil"].to_list() == [False, None, False]


def test_a_frame_without_rows_gets_its_columns(client):
    polars = pytest.importorskip("polars")
    named = normalize_frame(client, polars.DataFrame({"title": []}), column="title")
    assert "occupation_concept_id" in named.columns
