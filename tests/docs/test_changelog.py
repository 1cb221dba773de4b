"""The changelog has the form of Keep a Changelog, so that a release's notes are one section of it; and it, the program and the chart name one version."""

import re
import unittest
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
UNRELEASED = "[Unreleased]"
RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})")


def version_of(heading: str) -> tuple[tuple[int, int, int], date]:
    found = RELEASE.fullmatch(heading)
    if found is None:
        raise ValueError(f"no version and date: {heading}")
    return (int(found[1]), int(found[2]), int(found[3])), date.fromisoformat(found[4])


def mistakes(text: str) -> list[str]:
    """What is wrong with its headings."""
    headings = [(len(level), title) for level, title in re.findall(r"^(#+) (.+)$", text, re.M)]
    wrong = [] if headings[:1] == [(1, "Changelog")] else ["it begins with another heading than # Changelog"]
    sections = [title for level, title in headings if level == 2]
    if sections[:1] != [UNRELEASED]:
        wrong.append(f"its first section is not {UNRELEASED}")
    wrong += [f"no part of a release: {title}" for level, title in headings if level == 3 and title not in PARTS]
    wrong += [f"a heading of this level is nobody's: {title}" for level, title in headings if level > 3]
    releases = []
    for title in sections[1:]:
        try:
            releases.append(version_of(title))
        except ValueError as error:
            wrong.append(str(error))
    wrong += [f"{newer[0]} does not come after {older[0]}" for newer, older in zip(releases, releases[1:]) if newer[0] <= older[0] or newer[1] < older[1]]
    return wrong


class Changelog(unittest.TestCase):
    text = (ROOT / "CHANGELOG.md").read_text()

    def test_its_headings_are_well_formed(self) -> None:
        self.assertEqual(mistakes(self.text), [])

    def test_a_heading_that_is_not_is_found(self) -> None:
        good = "# Changelog\n## [Unreleased]\n### Added\n## [0.2.0] - 2027-02-01\n### Fixed\n## [0.1.0] - 2027-01-15\n### Added\n"
        self.assertEqual(mistakes(good), [])
        for old, new in (
            ("# Changelog", "# Changes"),
            ("## [Unreleased]\n", ""),
            ("[0.2.0] -", "0.2.0 -"),
            ("2027-02-01", "2027-02-30"),
            ("2027-02-01", "2027-01-01"),
            ("[0.2.0]", "[0.1.0]"),
            ("### Fixed", "### Repaired"),
            ("### Fixed", "### Fixed\n#### More"),
        ):
            with self.subTest(new):
                self.assertEqual(len(mistakes(good.replace(old, new, 1))), 1)

    def test_one_version_is_named(self) -> None:
        of = lambda pattern, name: re.search(pattern, (ROOT / name).read_text(), re.M)[1]
        version = of(r"^project\(edgetrust VERSION (\S+)", "CMakeLists.txt")
        chart = "charts/edgetrust/Chart.yaml"
        self.assertEqual([of(rf"^{name}: (\S+)$", chart) for name in ("version", "appVersion")], [version, version])
        released = [version_of(title)[0] for title in re.findall(r"^## (\[\d.+)$", self.text, re.M)]
        self.assertLessEqual(max(released, default=(0, 0, 0)), tuple(map(int, version.split("."))), "the newest that is released is this one, or older")


if __name__ == "__main__":
    unittest.main()
