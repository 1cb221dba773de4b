"""Chromium, steered by Selenium: what a person sees of a page, and what axe-core finds wrong with it. All of it is on this machine: the browser may reach loopback alone."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "support"))
import pinned  # noqa: E402

# Pure Python, for the interpreter that runs this.
sys.path.append(str(next((pinned.python(HERE / "selenium.txt").parents[1] / "lib").glob("python3*")) / "site-packages"))
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402

WIDTHS = {390: 844, 768: 1024, 1440: 900}
THEMES = ("light", "dark")

# What a page that is watched does behind our back: what its policy forbids, and what fails without anybody seeing it.
WATCH = """
  window.complaints = [];
  document.addEventListener("securitypolicyviolation", (event) => complaints.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  window.addEventListener("error", (event) => complaints.push(`error: ${event.message}`));
  window.addEventListener("unhandledrejection", (event) => complaints.push(`rejected: ${event.reason}`));
"""


class Browser:
    def __init__(self, folder: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
            options.add_argument(argument)
        options.add_argument(f"--user-data-dir={folder / 'chromium'}")
        options.add_argument("--disable-dev-shm-usage")  # a container's /dev/shm is too small
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium refuses to make its sandbox as root; all that it is shown is ours
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(60)
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.axe = (pinned.javascript(HERE / "package-lock.json") / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def close(self) -> None:
        self.driver.quit()

    def cdp(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def look(self, width: int, theme: str) -> None:
        """From now on the window is so wide, and the system has that theme."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=WIDTHS[width], deviceScaleFactor=1, mobile=False)
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}])

    def wait(self, what: str, script: str, *arguments: Any, seconds: float = 30) -> Any:
        """The first true value of a script. What does not come says what was there."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(script, *arguments)
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.text()[:3000]}\n{self.complaints()}")
            time.sleep(0.1)

    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def texts(self, selector: str) -> list[str]:
        return list(self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)", selector))

    def press(self, *keys: str, shift: bool = False) -> None:
        """Real key strokes, by their DOM names."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        for key in keys:
            event = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper())), "modifiers": 8 if shift else 0}
            text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else None)
            self.cdp("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
            self.cdp("Input.dispatchKeyEvent", type="keyUp", **event)

    def focused(self) -> str:
        """What has the focus: its id, or its text."""
        return str(self.run("const one = document.activeElement; return one.id || one.innerText || one.tagName"))

    def complaints(self, but: Callable[[str], bool] = lambda _: False) -> list[str]:
        """What the console has said since the last question, and what was broken in silence."""
        said = [entry["message"] for entry in self.driver.get_log("browser")] + list(self.run("return window.complaints ?? []"))
        return [line for line in said if not but(line)]

    def violations(self) -> list[str]:
        """What axe-core finds, by all of its rules."""
        if not self.run("return Boolean(window.axe)"):
            self.cdp("Runtime.evaluate", expression=self.axe)  # past the page's policy, which would let no script of another in
        found = self.driver.execute_async_script("const done = arguments[0]; axe.run().then((result) => done(result), (error) => done({violations: [{id: String(error), nodes: []}]}))")
        return [f"{one['id']}: {json.dumps([node['html'][:200] + ' ' + node['failureSummary'][:300] for node in one['nodes'][:3]])}" for one in found["violations"]]

    def screenshot(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(file))


@contextmanager
def opened(folder: Path) -> Iterator[Browser]:
    browser = Browser(folder)
    try:
        yield browser
    finally:
        browser.close()
