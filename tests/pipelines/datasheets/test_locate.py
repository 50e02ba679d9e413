"""Where a parameter is looked for first, and what happens on a miss."""

import pytest

from pipelines.datasheets.locate import Prediction, locate, predict, tree


def test_the_tree_holds_every_row_once(read):
    found = tree(read.document, read.rows)
    assert sorted(map(id, found.rows())) == sorted(map(id, read.rows))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("r_th_ja", "thermal"), ("v_rrm", "ratings"), ("h_fe", "static"), ("c_iss", "dynamic"), ("t_rr", "switching"),
     ("forward voltage", "static"), ("turn-on delay time", "switching"), ("t_stg", "ratings"),
     ("something else", "electrical")],
)  # fmt: skip
def test_a_parameter_is_expected_where_datasheets_print_it(name, kind):
    assert kind in predict(name).primary


def test_a_hit_in_the_primary_section_spares_the_rest(named):
    read = named("ruled_plain")
    found = locate(tree(read.document, read.rows), predict("v_rrm"), lambda r: float(r.symbol == "VRRM"))
    assert (found.stage, [r.symbol for r in found.rows]) == ("primary", ["VRRM"])
    assert found.rows_seen < len(read.rows)


def test_a_miss_widens_to_the_whole_document(named):
    read = named("ruled_plain")
    wrong = Prediction(("thermal",), ("switching",))
    found = locate(tree(read.document, read.rows), wrong, lambda r: float(r.symbol == "VF"))
    assert found.stage == "widened"
    assert [r.symbol for r in found.rows] == ["VF"]


def test_what_is_not_there_is_missed_after_every_row_was_seen_once(named):
    read = named("ruled_plain")
    found = locate(tree(read.document, read.rows), predict("v_rrm"), lambda r: 0.0)
    assert (found.stage, found.rows, found.rows_seen) == ("missed", (), len(read.rows))
