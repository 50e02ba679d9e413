import pytest

from pipelines.errors import TerminologyUnknown
from pipelines.library import import_terminology, open_terminology, terminologies
from pipelines.terminology import Terminology


def test_an_imported_terminology_comes_back_as_it_was(store, terminology):
    import_terminology(terminology, store=store)
    again = open_terminology("twelve", store=store)
    assert list(again.to_lines()) == list(terminology.to_lines())
    assert (again.name, again.version, again.title) == (terminology.name, terminology.version, terminology.title)
    assert terminologies(store) == ["twelve"]


def test_importing_the_same_again_makes_no_generation(store, terminology):
    first = import_terminology(terminology, store=store)
    assert import_terminology(terminology, store=store) == first
    changed = Terminology("twelve", version="2", concepts=terminology.concepts)
    assert import_terminology(changed, store=store) != first
    assert open_terminology("twelve", store=store).version == "2"


def test_an_unknown_one_says_which_there_are(store, terminology):
    import_terminology(terminology, store=store)
    with pytest.raises(TerminologyUnknown, match="twelve"):
        open_terminology("thirteen", store=store)
