"""What /console is served with; needs no browser."""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2] / "service" / "console"


def test_the_page_allows_nothing_from_elsewhere(live):
    page = httpx.get(f"{live}/console")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"


def test_the_same_again_is_304(live):
    first = httpx.get(f"{live}/console/main.js")
    again = httpx.get(f"{live}/console/main.js", headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert first.status_code == 200
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


def test_a_slash_leads_to_the_page(live):
    found = httpx.get(f"{live}/console/", follow_redirects=True)
    assert found.status_code == 200
    assert found.url.path == "/console"


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "views", "views/", "nothing.js", "../../README.md"])
def test_nothing_else_is_given_out(live, name):
    answer = httpx.get(f"{live}/console/{name}")
    assert answer.status_code == 404


def test_every_file_the_page_asks_for_is_there(live):
    found = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            said = dict(attrs)
            if tag in {"script", "link"}:
                found.append(said.get("src") or said["href"])

    Links().feed((ROOT / "index.html").read_text())
    assert found
    for link in found:
        assert httpx.get(f"{live}/{link}").status_code == 200, link


def test_no_script_makes_html_of_data_or_calls_elsewhere():
    for file in ROOT.rglob("*.js"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            file
        )
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text), file


def test_the_operator_can_leave_it_out(tmp_path):
    from service.app import create_app
    from service.settings import Settings

    app = create_app(Settings(console=False, artifacts=tmp_path, pipelines_file=tmp_path / "none"))
    assert "/console" not in {getattr(route, "path", None) for route in app.routes}
