"""A browser that looks at a live service. Skips where no Chromium is installed."""

import json
import shutil

import pytest


@pytest.fixture(scope="module")
def browser():
    # Not for the session: while Playwright runs, no other test could run an event loop of its own.
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, live):
    """Opens a view: open_page("#/job-titles", width=360). What a test ends with must be free of script errors."""
    contexts, faults = [], []

    def opened(view="", *, width=1280, scheme="light", answers=None, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: "Content Security" in said.text and faults.append(said.text))
        for path, answer in (answers or {}).items():
            page.route(f"{live}{path}", _answering(answer))
        page.goto(f"{live}/console{view}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


def _answering(answer):
    """A route that answers as the contract says, for what the service over twelve occupations does not host."""

    def handle(route):
        said = answer(route.request) if callable(answer) else answer
        status, content = said if isinstance(said, tuple) else (200, said)
        text = content if isinstance(content, str) else json.dumps(content)
        kind = "text/event-stream" if isinstance(content, str) else "application/json"
        route.fulfill(status=status, content_type=kind, body=text)

    return handle
