"""The pictures of the fleet page in the docs, into the folder PAGE_SHOTS, by the browser of the tests: `make page-shots`."""

import os
import unittest
from pathlib import Path

import test_page
from browser import THEMES
from fleet import small


class Pictures(test_page.PageTest):
    def test_take(self) -> None:
        folder = Path(os.environ["PAGE_SHOTS"])
        self.show(small())
        for theme in THEMES:
            self.browser.look(1440, theme)
            self.browser.screenshot(folder / f"fleet-page-{theme}.png")
        self.browser.run("[...document.querySelectorAll('tbody th a')].find((one) => one.innerText === 'edge-dub-02').click()")
        self.wait_text("#detail", "the end of the observation")
        for width, theme, name in ((1440, "dark", "rotation-dark"), (390, "light", "narrow-light")):
            self.browser.look(width, theme)
            self.browser.screenshot(folder / f"fleet-page-{name}.png")


if __name__ == "__main__":
    unittest.main()
