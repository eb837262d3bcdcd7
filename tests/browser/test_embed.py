"""An embedded ticket in the page of another origin, which has a token and no session."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from app.intake.embed_token import embed_token
from app.sla.span import SECOND
from tests.browser.conftest import TIMEOUT_MS, collect_faults
from tests.browser.site import Site
from tests.waiting import HANG

WIDTH = 320


@contextmanager
def ticket_system() -> Generator[int]:
    """A server whose every page has a frame with the address in its query. Yields its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            source = self.path.partition("?")[2]
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<!doctype html><iframe title="SLA" src="{source}"></iframe>'.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever, name="ticket system")
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(HANG)


def embedded(site: Site, origin: str, ticket: str) -> str:
    """The address of a ticket of haisoft, which pages of this origin may frame."""
    answer = site.client.put(
        f"{site.url}/v1/embedding/haisoft",
        json={"frame_ancestors": [origin]},
        headers={"Authorization": f"Bearer {site.admin}"},
    )
    token = embed_token(answer.json()["secret"], "haisoft", ticket, site.clock() // SECOND + 3600)
    return f"{site.url}/embed/tickets/haisoft/{ticket}?token={token}"


def test_an_embedded_ticket_is_live_where_it_may_be_framed_and_blank_where_not(
    browser: Browser, site: Site
) -> None:
    created = site.event(
        "haisoft", "E-1", "ticket.created", site.now(), title="Embedded", service="dedicated"
    )
    site.push(created)
    context, faults = (
        browser.new_context(viewport={"width": WIDTH, "height": 600}, bypass_csp=True),
        list[str](),
    )
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    with ticket_system() as port:
        source = embedded(site, f"http://127.0.0.1:{port}", "E-1")
        page.goto(f"http://127.0.0.1:{port}/?{source}")
        frame = page.frame_locator("iframe")
        expect(frame.locator(".clock [data-left]")).to_be_visible()
        expect(frame.locator("#connection")).to_have_text("live")
        site.push(site.event("haisoft", "E-1", "agent.replied", site.now(), author="agent"))
        expect(frame.locator(".ended li")).to_contain_text("met, today")
        expect(frame.locator(".clock")).to_have_count(0)
        # The same page under another name is another origin.
        with page.expect_event("requestfailed", lambda request: request.url == source):
            page.goto(f"http://localhost:{port}/?{source}")
    # A page of its own: what the other system's pages still ask of it fails now, and is no fault of this one.
    page.close()
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    collect_faults(page, site.url, faults)
    page.goto(source)
    expect(page.locator("#connection")).to_have_text("live")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert context.cookies() == []
    assert faults == []
    context.close()
