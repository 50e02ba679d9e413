"""The console of a service that asks for keys: signing in, and what a lesser key leaves closed."""

import httpx
import pytest

from service.keys import Scope

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

PLACES = "JSON.stringify({...localStorage, cookies: document.cookie})"


@pytest.fixture(scope="module")
def guarded(live_with_keys):
    """Where the service is, and a key for each scope: (base, {scope: token})."""
    base, keys = live_with_keys
    return base, {scope.value: keys.create(name=f"a {scope}", scopes=[scope])[1] for scope in Scope}


@pytest.fixture
def page_of(browser, guarded):
    """Opens a view of the guarded service: page_of("#/keys", scope="admin"); script errors fail the test."""
    contexts, faults = [], []

    def opened(view="", *, scope=None, width=1280, scheme="light"):
        base, tokens = guarded
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{base}/console{view}")
        if scope:
            sign_in(page, tokens[scope])
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


def sign_in(page, token):
    page.locator("main").get_by_label("API key").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_who_has_no_key_is_asked_for_one_and_then_sees_what_they_came_for(page_of, guarded):
    page = page_of("#/job-titles?title=staff+nurse")
    expect(page.get_by_role("heading", level=1)).to_have_text("A key, please")
    sign_in(page, guarded[1]["read"])
    expect(page.locator(".decision").first).to_contain_text("Nursing professionals")
    expect(page.get_by_role("button", name="Key: a read")).to_be_visible()
    page.reload()
    expect(page.locator(".decision").first).to_contain_text("Nursing professionals")


def test_a_key_is_kept_in_the_tab_and_nowhere_else(page_of, guarded):
    token = guarded[1]["read"]
    asked = []
    page = page_of("#/job-titles?title=cook")
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, token)
    expect(page.locator(".decision").first).to_be_visible()
    for view in ("#/", "#/terminologies", "#/retrieval"):
        page.goto(page.url.split("#")[0] + view)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert token not in page.url
        assert token not in page.content()
    assert token not in page.evaluate(PLACES)
    assert not any(token in url for url in asked)
    assert page.evaluate("sessionStorage.getItem('cognomen-key')") == token


def test_a_key_that_opens_nothing_is_said_so_and_forgotten(page_of):
    page = page_of("#/")
    sign_in(page, "cgn_0123456789ab_" + "x" * 43)
    expect(page.get_by_role("alert")).to_contain_text("opens nothing here")
    assert page.evaluate("sessionStorage.getItem('cognomen-key')") is None
    expect(page.locator("main").get_by_label("API key")).to_be_focused()


@pytest.mark.parametrize(
    ("scope", "closed"),
    [
        ("read", {"files": "write", "jobs": "write", "generations": "admin", "keys": "admin"}),
        ("write", {"generations": "admin", "keys": "admin"}),
        ("admin", {}),
    ],
)
def test_a_lesser_keys_views_are_closed_and_say_what_they_need(page_of, scope, closed):
    page = page_of("#/", scope=scope)
    expect(page.get_by_role("button", name=f"Key: a {scope}")).to_be_visible()
    for view in ("job-titles", "files", "jobs", "generations", "keys"):
        link = page.locator(f"#nav a[data-view={view}]")
        link.click()
        told = page.locator("main .notice").first
        if view in closed:
            expect(link).to_contain_text(f"needs the scope {closed[view]}")
            expect(told).to_contain_text(f"needs a key with the scope {closed[view]}")
        else:
            expect(link).not_to_contain_text("needs the scope")
            expect(page.locator("main form, main table").first).to_be_visible()


def test_a_reader_cannot_press_what_would_be_refused(page_of):
    page = page_of("#/job-titles?title=cook", scope="read")
    expect(page.locator(".accept").first).to_be_disabled()
    page = page_of("#/job-titles?title=cook", scope="write")
    expect(page.locator(".accept").first).to_be_enabled()


def test_an_admin_makes_a_key_that_works_and_revokes_it(page_of, guarded):
    page = page_of("#/keys", scope="admin")
    page.get_by_label("Name").fill("gateway seven")
    page.get_by_label("Prefixes").fill("acme-")
    page.get_by_role("button", name="Make a key").click()
    token = page.locator(".secret").inner_text()
    own = httpx.get(f"{guarded[0]}/v1/keys/self", headers={"authorization": f"Bearer {token}"}).json()
    assert (own["name"], own["scopes"], own["prefixes"]) == ("gateway seven", ["read"], ["acme-"])
    page.get_by_role("button", name="Revoke gateway seven").click()
    expect(page.get_by_role("row", name="gateway seven")).to_have_count(0)
    refused = httpx.get(f"{guarded[0]}/v1/keys/self", headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 401


def test_another_key_is_taken_and_forgotten_by_the_button(page_of, guarded):
    page = page_of("#/keys", scope="read")
    expect(page.locator("main .notice")).to_contain_text("scope admin")
    page.get_by_role("button", name="Key: a read").click()
    page.get_by_role("dialog").get_by_label("Key").fill(guarded[1]["admin"])
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("table")).to_contain_text("a write")
    page.get_by_role("button", name="Key: a admin").click()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A key, please")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scope", [None, "read", "admin"])
def test_it_is_usable_by_everybody_and_on_a_phone(page_of, scope, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for view in ("#/", "#/keys"):
        page = page_of(view, scope=scope, width=360, scheme=scheme)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        found = axe.run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
