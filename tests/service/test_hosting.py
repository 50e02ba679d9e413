from pathlib import Path

import pytest

from service.hosting import Hosting, read_hosting
from service.settings import SettingsInvalid

ROOT = Path(__file__).resolve().parents[2]


def write(tmp_path, text):
    path = tmp_path / "pipelines.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_that_ships_is_valid():
    assert read_hosting(ROOT / "deploy/pipelines.toml") == {"job-titles": Hosting()}


def test_a_missing_file_hosts_everything(tmp_path):
    assert read_hosting(tmp_path / "none.toml") == {}


def test_tables_say_what_is_hosted(tmp_path):
    path = write(tmp_path, '[job_titles]\nterminology = "b"\nterminologies = ["a", "b"]')
    hosting = read_hosting(path)["job-titles"]
    assert [hosting.hosts(t) for t in "abc"] == [True, True, False]
    assert hosting.terminology == "b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[job-titles", "cannot be read"),
        ("[nothing]", "is no pipeline"),
        ("job-titles = 3", "is no pipeline"),
        ('[job-titles]\nterminolgy = "a"', "terminolgy"),
        ("[job-titles]\nhosted = 3.5", "hosted"),
        ('[job-titles]\nterminology = "c"\nterminologies = ["a"]', "not among"),
        ('[job-titles]\nhosted = false\nterminology = "c"', "not among"),
    ],
)
def test_a_file_that_cannot_be_used_says_so_in_one_line(tmp_path, text, said):
    with pytest.raises(SettingsInvalid, match=said) as raised:
        read_hosting(write(tmp_path, text))
    assert "\n" not in str(raised.value)
