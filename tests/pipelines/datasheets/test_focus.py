"""What a document is about; several parts are an answer, never a guess."""

import pytest

from pipelines.datasheets.focus import concerns, focus


def test_the_parts_and_the_kind_of_device_are_the_sheet_s(read):
    found = focus(read.document, read.rows)
    assert found.device.kind == read.sheet.device_type
    assert sorted(found.names) == sorted(read.sheet.parts)


def test_one_part_is_chosen_and_several_are_ambiguous(read):
    found = focus(read.document, read.rows)
    count = len(read.sheet.parts)
    assert found.part == (read.sheet.parts[0] if count == 1 else None)
    assert found.reason == {0: "no_part", 1: None}.get(count, "ambiguous")


@pytest.mark.parametrize("written", ["QR4004", "qr4004", " QR4004 ", "QR4004-T"])
def test_the_caller_s_part_is_found_however_it_is_written(named, written):
    read = named("part_columns")
    assert focus(read.document, read.rows, part=written).part == "QR4004"


def test_a_part_that_is_not_in_the_document_is_refused(named):
    read = named("part_columns")
    found = focus(read.document, read.rows, part="BC547")
    assert (found.part, found.reason) == (None, "not_in_document")


def test_rows_of_other_parts_do_not_concern_the_chosen_one(named):
    read = named("part_columns")
    found = focus(read.document, read.rows, part="QR4004")
    own = [r for r in read.rows if found.concerns(r)]
    assert [r.max for r in own if r.symbol == "VRRM"] == [400]
    assert [r.max for r in own if r.symbol == "IFSM"] == [30]


@pytest.mark.parametrize(
    ("variant", "part", "answer"),
    [(None, "J113", True), ("113", "J113", True), ("111", "J113", False), ("J111-113", "J112", True),
     ("MMBFJ111-113", "J112", False), ("1N4001-1N4007", "1N4004", True), ("TO-92", "2N7000", True),
     ("SOT23-3L", "2N7000", False), ("2N7002", "2N7000", False)],
)  # fmt: skip
def test_labels_of_variants_are_matched_to_parts(variant, part, answer):
    names = ["J111", "J112", "J113", "MMBFJ111", "MMBFJ112", "MMBFJ113", "2N7000", "2N7002"]
    packages = {"2N7000": "TO-92", "2N7002": "SOT23-3L"}
    assert concerns(variant, part, names=names, packages=packages) is answer


OPEN = {
    "1N4148_b": ({"1N4148"}, "diode"),
    "2N3904": ({"2N3904", "MMBT3904", "PZT3904"}, "bjt"),
    "2N7000": ({"2N7000", "2N7002"}, "mosfet"),
    "J113": ({"J111", "J112", "J113", "MMBFJ111", "MMBFJ112", "MMBFJ112_SB51338", "MMBFJ113"}, "jfet"),
}


@pytest.mark.parametrize("name", sorted(OPEN))
def test_an_open_sheet_covers_its_parts(open_named, name):
    read = open_named(name)
    found = focus(read.document, read.rows)
    assert set(found.names) == OPEN[name][0]
    assert found.device.kind == OPEN[name][1] == read.sheet["device_type"]
    assert found.manufacturer.split()[0] == read.sheet["manufacturer"].split()[0]
