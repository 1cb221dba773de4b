"""The fleet page in a real browser, on objects of ours: what it shows, for whom, and by what."""

from __future__ import annotations

import copy
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from browser import THEMES, WIDTHS, Browser
from fleet import STORIES, FleetServer, certificate, edge, large, ready, small, under_way

LOST = "the operator is gone on purpose"
COUNT = 1000

ROWS = "return document.querySelectorAll('tbody tr').length"
EDGES = "tbody th a"


class PageTest(unittest.TestCase):
    """One browser for the tests of a class; each test has a fleet of its own, and ends without a complaint of the browser."""

    browser: ClassVar[Browser]

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="edgetrust-page-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.browser = Browser(Path(folder.name))
        cls.addClassCleanup(cls.browser.close)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="edgetrust-page-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.browser.look(1440, "light")
        self.expected_complaint = ""

    def serve(self, objects: dict[str, list[Any]]) -> FleetServer:
        server = FleetServer(self.folder, objects)
        self.addCleanup(server.close)
        self.addCleanup(self.browser.open, "about:blank")
        self.addCleanup(self.without_complaint)
        return server

    def without_complaint(self) -> None:
        expected = self.expected_complaint
        self.assertEqual(self.browser.complaints(lambda line: bool(expected) and expected in line), [])

    def show(self, objects: dict[str, list[Any]], query: str = "") -> FleetServer:
        server = self.serve(objects)
        self.browser.open(server.url + query)
        self.browser.wait("the fleet is there", "return document.querySelector('#connection').dataset.state === 'live'")
        return server

    def wait_text(self, selector: str, text: str, seconds: float = 30) -> None:
        self.browser.wait(f"{selector} says {text}", "return document.querySelector(arguments[0])?.innerText.includes(arguments[1])", selector, text, seconds=seconds)


class WhatItShows(PageTest):
    def test_each_line_in_the_order_of_its_urgency(self) -> None:
        self.show(small())
        self.assertEqual(self.browser.texts(EDGES), [name for name, _, _ in STORIES] + ["edge-dub-09"])
        rows = self.browser.texts("tbody tr")
        for row, pieces in (
            (0, ("Failed", "RollbackImpossible", "Expired: 2 d ago", "SIP down", "Blocked")),
            (2, ("AwaitingApproval", "approval of revision 8")),
            (3, ("Observing", "Due: 27 d left, renewal was due 2 d ago", "online, SIP up", "Matched")),
            (5, ("WaitingForWindow", "window Tue 02:00 America/New_York", "no policy")),
            (6, ("Ready", "73 d left", "renews ")),
            (9, ("No certificate", "no EdgeCertificate names it")),
        ):
            for piece in pieces:
                self.assertIn(piece, rows[row])
        self.assertEqual([text.split("\n") for text in self.browser.texts("#summary a")], [["10", "All"], ["3", "Needs attention"], ["2", "Under way"], ["1", "Waiting"], ["4", "Well"]])

    def test_the_bar_is_the_certificates_life(self) -> None:
        fleet = {"certificates": [certificate("e", ready(45.0))], "edges": [edge("e", "dublin")]}
        self.show(fleet)
        bar = self.browser.run("const bar = document.querySelector('.bar'); return {label: bar.ariaLabel, role: bar.role, past: bar.querySelector('.past').style.width, renewal: bar.querySelector('.renewal').style.left}")
        self.assertAlmostEqual(float(bar["past"].rstrip("%")), 50, delta=0.5)
        self.assertAlmostEqual(float(bar["renewal"].rstrip("%")), 200 / 3, delta=0.5)
        self.assertEqual(bar["role"], "img")
        for piece in ("Valid from 2", "until 2", "44 d left", "renewal in 14 d"):
            self.assertIn(piece, bar["label"])

    def test_a_rotation_opens_with_its_timeline_and_has_an_address(self) -> None:
        server = self.show(small())
        self.browser.run("[...document.querySelectorAll('tbody th a')].find((one) => one.innerText === 'edge-dub-02').click()")
        self.wait_text("#detail", "the end of the observation")
        self.assertIn("certificate=voice%2Fedge-dub-02", self.browser.driver.current_url)
        detail = self.browser.text()
        for piece in ("revision 8 is observed", "Installed", "the Edge has taken revision 8", "until 2", "CHG0045123", "approved by ana@example.com", "Superseded"):
            self.assertIn(piece, detail)
        self.assertRegex(detail, r"Trace\s+[0-9a-f]{32}\s")
        self.browser.driver.back()
        self.browser.wait("it is closed", "return document.querySelector('#detail').hidden")
        self.browser.open(f"{server.url}?certificate=voice%2Fedge-ny-03")
        self.wait_text("#detail", "kubectl edgetrust approve edge-ny-03 -n voice")
        self.browser.open(f"{server.url}?certificate=voice%2Fnone")
        self.wait_text("#detail", "no such EdgeCertificate")
        self.expected_complaint = "404"

    def test_the_filter_stands_in_the_address(self) -> None:
        server = self.show(small(), f"?site=dublin&text={quote('peer')}")
        self.assertEqual(self.browser.texts(EDGES), ["edge-dub-01"])
        self.assertEqual(self.browser.run("return document.querySelector('#site').value + document.querySelector('#text').value"), "dublinpeer")
        self.assertEqual(self.browser.texts("#shown"), ["1 of 10 Edges"])
        self.browser.run("document.querySelector('#clear').click()")
        self.assertEqual(self.browser.run(ROWS), 10)
        self.assertEqual(self.browser.driver.current_url, server.url + "?")
        self.browser.run("const phase = document.querySelector('#phase'); phase.value = 'Ready'; phase.dispatchEvent(new Event('input'))")
        self.assertEqual(self.browser.run(ROWS), 3)
        self.assertIn("phase=Ready", self.browser.driver.current_url)
        self.browser.open(server.url + "?urgency=Attention")
        self.browser.wait("three need attention", ROWS.replace("return ", "return 3 === "))
        self.browser.open(server.url + "?text=nothing+has+this+name")
        self.wait_text("#nothing", "No Edge matches the filter.")

    def test_an_empty_fleet_says_so(self) -> None:
        self.show({"certificates": [], "edges": []})
        self.wait_text("#nothing", "There is no Edge yet.")

    def test_markup_in_whatever_an_object_says_stays_text(self) -> None:
        evil = "<img src=x onerror=\"complaints.push('ran')\"><script>complaints.push('ran')</script>"
        status = under_way("Observing", 28, evil, next=evil, delivery={"revision": 8, "fallback": 7, "startedAt": "2026-01-01T00:00:00Z", "verdict": evil, "rollingBackSince": "2026-01-01T00:00:00Z"})
        status = copy.deepcopy(status) | {"issuer": evil, "serialNumber": evil}
        for entry in status["history"]:
            entry |= {"change": evil, "approvedBy": evil, "message": evil, "evidence": evil}
        status["conditions"] = [one | {"message": evil} for one in status["conditions"]]
        server = self.show({"certificates": [certificate("e", status)], "edges": [edge("e", evil, ("Blocked", evil))]}, "?certificate=voice%2Fe")
        self.wait_text("#detail", evil[:40])
        self.assertIn(evil, self.browser.texts("tbody tr")[0])
        self.assertEqual(self.browser.run("return document.querySelectorAll('script, img').length"), 2, "the page's own")
        self.browser.open(f"{server.url}?certificate={quote(evil)}&site={quote(evil)}&text={quote(evil)}")
        self.wait_text("#detail", "no such EdgeCertificate")
        self.expected_complaint = "404"


class Live(PageTest):
    def test_a_change_is_shown_without_a_reload_and_said_once(self) -> None:
        fleet = small()
        server = self.show(fleet)
        self.browser.run("window.mine = true; window.news = []; new MutationObserver(() => news.push(document.querySelector('#news').textContent)).observe(document.querySelector('#news'), {childList: true})")
        self.browser.run("[...document.querySelectorAll('tbody th a')].find((one) => one.innerText === 'edge-fra-01').focus()")
        for one in fleet["certificates"]:
            if one["metadata"]["name"] == "edge-fra-01":
                one["status"] = under_way("Delivering", 74, "revision 8 is pushed")
        server.show(fleet)
        self.browser.wait("it is delivered", "return [...document.querySelectorAll('tbody tr')].some((one) => one.innerText.startsWith('edge-fra-01') && one.innerText.includes('Delivering'))")
        self.assertTrue(self.browser.run("return window.mine"), "no reload")
        self.assertEqual(self.browser.focused(), "edge-fra-01", "it has moved, and keeps the focus")
        self.browser.wait("it is said", "return window.news.length")
        for _ in range(5):
            server.show(fleet)  # changes that change nothing that is shown
        fleet["certificates"] = [one for one in fleet["certificates"] if one["metadata"]["name"] != "edge-syd-02"]
        fleet["edges"] = [one for one in fleet["edges"] if one["metadata"]["name"] != "edge-syd-02"]
        server.show(fleet)
        self.browser.wait("an Edge that is gone is not shown", ROWS.replace("return ", "return 9 === "))
        self.assertEqual(self.browser.run("return window.news"), ["edge-fra-01 is Delivering"])

    def test_a_lost_connection_is_said_with_the_age_of_what_is_shown_and_comes_back(self) -> None:
        server = self.show(small())
        self.expected_complaint = "ERR_CONNECTION_REFUSED"
        self.browser.run("window.mine = true")
        server.close()
        self.wait_text("#lost", "The operator does not answer. What you see is old: it is of ")
        self.assertEqual(self.browser.texts("#connection"), ["Connection lost"])
        self.assertEqual(self.browser.run(ROWS), 10, "what was known is still shown")
        again = FleetServer(self.folder, large(3), server.port)
        self.addCleanup(again.close)
        self.browser.wait("it is back with what is so now", ROWS.replace("return ", "return 3 === "), seconds=60)
        self.assertEqual(self.browser.texts("#connection"), ["Live"])
        self.assertEqual(self.browser.run("return document.querySelector('#lost').textContent"), "")
        self.assertTrue(self.browser.run("return window.mine"), "no reload")


    def test_a_cluster_that_is_silent_is_said_with_since_when(self) -> None:
        server = self.show(small())
        server.show(small() | {"silentSince": "2026-11-30T02:03:04Z"})
        self.wait_text("#lost", "The operator has heard nothing from a watch of the cluster since 2026-11-30 02:03 UTC: what you see may be of then.")
        self.assertEqual(self.browser.texts("#connection"), ["Cluster silent"])
        self.assertEqual(self.browser.run(ROWS), 10)
        server.show(small())
        self.browser.wait("it is heard again", "return document.querySelector('#connection').textContent === 'Live'")
        self.assertEqual(self.browser.run("return document.querySelector('#lost').textContent"), "")


class ForEverybody(PageTest):
    def check(self, where: str) -> None:
        for width in WIDTHS:
            for theme in THEMES:
                self.browser.look(width, theme)
                with self.subTest(where=where, width=width, theme=theme):
                    self.assertEqual(self.browser.violations(), [])
                    self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width, "nothing is wider than the window")

    def test_axe_finds_nothing_in_the_fleet(self) -> None:
        self.show(small())
        self.check("fleet")

    def test_axe_finds_nothing_in_a_rotation(self) -> None:
        self.show(small(), "?certificate=voice%2Fedge-dub-02")
        self.wait_text("#detail", "the end of the observation")
        self.browser.run("document.querySelector('#detail details').open = true")
        self.check("rotation")

    def test_axe_finds_nothing_while_the_connection_is_lost(self) -> None:
        server = self.show(small(), "?text=nothing+of+this+name")
        self.expected_complaint = "ERR_CONNECTION_REFUSED"
        server.close()
        self.wait_text("#lost", "The operator does not answer.")
        self.check("lost")

    def test_all_is_done_by_keyboard_alone(self) -> None:
        server = self.show(small())
        self.browser.press("Tab")
        self.assertEqual(self.browser.focused(), "Skip to the fleet")
        self.assertGreaterEqual(self.browser.run("return document.activeElement.getBoundingClientRect().top"), 0, "it is seen")
        self.browser.press("Enter", "Tab")
        self.assertEqual(self.browser.focused(), STORIES[0][0], "past the head and the filter")
        self.assertNotEqual(self.browser.run("return getComputedStyle(document.activeElement).outlineStyle"), "none")
        self.browser.press("Tab", "Enter")
        self.browser.wait("the second is open, and has the focus", "return document.activeElement.id === 'detail-title' && document.activeElement.innerText === arguments[0]", STORIES[1][0])
        self.browser.press("Tab")
        self.browser.press("Escape")
        self.assertTrue(self.browser.run("return document.querySelector('#detail').hidden"))
        self.assertEqual(self.browser.focused(), STORIES[1][0], "back where it was opened")
        self.browser.open(server.url)
        self.browser.wait("the fleet is there", ROWS)
        walk = []
        for _ in range(12):
            self.browser.press("Tab")
            walk.append(self.browser.focused().split("\n")[-1])
        self.assertEqual(walk, ["Skip to the fleet", "theme", "All", "Needs attention", "Under way", "Waiting", "Well", "text", "site", "phase", STORIES[0][0], STORIES[1][0]])

    def test_the_theme_is_chosen_by_keyboard_and_remembered(self) -> None:
        server = self.show(small())
        ground = "return getComputedStyle(document.body).backgroundColor"
        light = self.browser.run(ground)
        self.browser.press("Tab", "Tab", " ")
        self.assertEqual(self.browser.run("return document.querySelector('#theme').ariaPressed"), "true")
        dark = self.browser.run(ground)
        self.assertNotEqual(dark, light)
        self.browser.open(server.url)
        self.assertEqual(self.browser.run(ground), dark, "after a reload")
        self.browser.look(1440, "dark")
        self.browser.run("localStorage.clear()")
        self.browser.open(server.url)
        self.assertEqual(self.browser.run(ground), dark, "and without a choice it is the system's")
        self.browser.look(1440, "light")
        self.assertEqual(self.browser.run(ground), light)

    def test_nothing_moves_for_whom_that_is_unwell(self) -> None:
        self.show(small())
        moving = "return [...document.querySelectorAll('*')].filter((one) => parseFloat(getComputedStyle(one).transitionDuration) > 0 || getComputedStyle(one).animationName !== 'none').length"
        self.assertEqual(self.browser.run(moving), 0)


class Witnesses(PageTest):
    """What says nothing in the other tests would speak."""

    def test_axe_finds_what_is_wrong(self) -> None:
        self.show(small())
        self.browser.run("document.querySelector('#list').append(document.createElement('input')); document.querySelector('#shown').style.color = '#ccc'")
        found = [line.split(":")[0] for line in self.browser.violations()]
        self.assertEqual(sorted(found), ["color-contrast", "label"])

    def test_what_the_policy_forbids_is_heard(self) -> None:
        self.show(small())
        self.browser.run("const script = document.createElement('script'); script.textContent = 'window.ran = true'; document.head.append(script); document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:1/x.png'}))")
        self.browser.wait("both are heard of", "return complaints.length >= 2")
        self.assertFalse(self.browser.run("return Boolean(window.ran)"))
        said = " ".join(self.browser.complaints())
        for directive in ("policy: script-src-elem inline", "policy: img-src http://127.0.0.1:1/x.png"):
            self.assertIn(directive, said)
        self.browser.run("window.complaints = []")


class Thousand(PageTest):
    def test_a_thousand_edges_are_shown_found_and_followed(self) -> None:
        fleet = large(COUNT)
        server = self.show(fleet)
        self.browser.wait("all are there", f"{ROWS} === {COUNT}", seconds=60)
        self.assertEqual(self.browser.texts("#shown"), ["1,000 Edges"])
        self.browser.run("document.querySelector('#text').focus()")
        self.browser.press(*"edge-0123")
        self.browser.wait("one is found", f"{ROWS} === 1")
        self.assertEqual(self.browser.texts(EDGES), ["edge-0123"])
        fleet["certificates"][123]["status"] = under_way("Issuing", 30, "the CA looks at the challenges")
        server.show(fleet)
        self.wait_text("tbody tr", "Issuing")
        for width in WIDTHS:
            self.browser.look(width, "light")
            self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)


if __name__ == "__main__":
    unittest.main()
