"""The pages: one room for each, a package below this one, and what they have in common in `frame`.

A page is rendered on the server, in the reader's language, from the same functions of `flow` as the API's answers: it
makes no HTTP call to itself and decides nothing. The stream of signals says what has changed; the script of the frame
fetches those parts as HTML and swaps them in. Only counting down is done by the browser.

To add a page:

1. Make the package `app/web/pages/<room>/`, named as in `frame/navigation.py`, with `__init__.py` and `page.py`. It
   has `room = Room("<room>")` and endpoints like those of `now/page.py`: `@room.get("/path")`, `reader: ViewReader`, and
   `return room.page(reader, "<room>.html", desk=…, anything=…)`. Nothing else lists rooms: `routes` finds them.
2. Read with `await reader.read(lambda conn: …)`, from `app.flow.query`. Restrict to `desks_for(reader.caller, desk)`, or
   call `must_see(reader.caller, desk)`. Problems raised anywhere become pages. Of another permission than to view, write
   a reader of your own as `ViewReader` in `frame/reader.py`.
3. The template extends `frame/frame.html` (blocks `title`, `content`, `desk_switcher`). It has `words`, `reader`,
   `frame`, and `_("Due {when}", when=…)` and `ngettext("{n} ticket", "{n} tickets", n)` for phrases. In Python:
   `room.words(reader).say(N_("Due {when}"), when=…)`; `frame/words.py` writes instants, durations, numbers and percents,
   `frame/vocabulary.py` has the names of the API and words that several pages use.
4. Run `python -m tests.web.messages`, and translate the new entries in `<room>/locale/*.po` (fr, nl, it, vi).
5. Live parts: an element with `data-live="/address/of/a/fragment"` is fetched again after signals
   (`data-live-kinds="clock. queue."`, `data-live-desk`, `data-live-ticket` narrow them); the endpoint answers with
   `room.fragment(reader, "part.html", …)`. Rows have `data-key="desk/ticket"`; those in the parameter `keep` need only
   `<li data-keep="desk/ticket">`. A countdown is `data-left`, `data-at`, `data-until`: see `now/row.html`.
6. `<room>/static/<room>.js` and `<room>.css`, if there are any, are loaded without being listed; file names are unique
   among rooms, and scripts import each other as `./name.js`. Colours are the tokens of `static/page.css`.
7. The navigation is in `frame/navigation.py`: the entry of each planned page exists, and shows when its room does.
8. Name each route with its permission in `tests/web/test_isolation.py`, and add what the page must show to a test module
   of the room; `tests/web/test_pages.py` takes every page of the navigation.
"""
