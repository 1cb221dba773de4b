"""The drawings of the documents: whole in themselves, told to whoever does not see them, and drawn for a light and a dark page."""

import re
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
IMAGES = Path(__file__).resolve().parents[2] / "controller" / "docs" / "images"


class Drawings(unittest.TestCase):
    def test_each_is_whole_and_can_be_told(self) -> None:
        drawings = sorted(IMAGES.glob("*.svg"))
        self.assertGreater(len(drawings), 0)
        for file in drawings:
            with self.subTest(file.name):
                root = xml.parse(file).getroot()
                self.assertEqual(root.get("role"), "img")
                told = {element.get("id"): element.text for element in root if element.tag in (f"{SVG}title", f"{SVG}desc")}
                self.assertEqual(set(root.get("aria-labelledby", "").split()), set(told))
                self.assertTrue(all(told.values()))
                self.assertEqual(re.findall(r"(?:href|src)=|url\((?!#)|@import|<script", file.read_text()), [], "nothing is loaded")

    def test_each_colour_has_one_for_a_dark_page(self) -> None:
        for file in IMAGES.glob("*.svg"):
            light, dark = re.fullmatch(r".*<style>(.*)@media \(prefers-color-scheme: dark\) \{(.*)\}\s*</style>.*", file.read_text(), re.S).groups()
            coloured = lambda rules: set(re.findall(r"([.\w]+) \{[^}]*#", rules))
            self.assertGreater(len(coloured(light)), 3)
            self.assertEqual(coloured(dark), coloured(light), file.name)
            # What is drawn takes its colours from there alone.
            self.assertEqual(re.findall(r"<(?:rect|path|text)[^>]*(?:fill|stroke)=", file.read_text()), [], file.name)


if __name__ == "__main__":
    unittest.main()
