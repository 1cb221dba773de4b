"""A dead man's switch: an https server that writes down when it was pinged."""

from __future__ import annotations

import time

from own_https import Handler, HttpsServer


class Snitch(HttpsServer):
    def __init__(self) -> None:
        self.pings: list[tuple[float, str]] = []
        pings = self.pings

        class Switch(Handler):
            def do_GET(self) -> None:
                pings.append((time.time(), self.path))
                self.answer(202)

        super().__init__(Switch, "/c2354d53d2-of-nobody-else")
