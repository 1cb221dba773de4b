"""Every link of every Markdown file leads to a file or heading that is there. What is on other hosts is not asked."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^()\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)


def anchors(text: str) -> set[str]:
    """Of the headings, as GitHub makes them: what follows a second time gets a number."""
    found: set[str] = set()
    for title in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M):
        plain = re.sub(r"\]\([^)]*\)", "", title).lower()
        anchor = wanted = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{wanted}-{number}"
        found.add(anchor)
    return found


def broken(file: Path) -> list[str]:
    """Links of this file that lead nowhere."""
    wrong = []
    for inline, attribute in LINK.findall(CODE.sub("", file.read_text())):
        link = inline or attribute
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (file.parent / path).resolve() if path else file
        if not target.exists():
            wrong.append(f"{link}: there is no such file")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target.read_text())):
            wrong.append(f"{link}: there is no such heading")
    return wrong


class Links(unittest.TestCase):
    def test_they_lead_somewhere(self) -> None:
        listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        files = [ROOT / name for name in listed if name]
        self.assertGreater(len(files), 30)
        self.assertEqual([f"{file.relative_to(ROOT)}: {wrong}" for file in files for wrong in broken(file)], [])

    def test_the_code_that_the_threat_model_names_is_there(self) -> None:
        text = (ROOT / "controller" / "docs" / "threat-model.md").read_text()
        named = {name for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if not re.match(r"/|[\w.]+\.io/", name)}
        self.assertGreater(len(named), 40)
        self.assertEqual([name for name in sorted(named) if not any((folder / name).exists() for folder in (ROOT / "controller", ROOT))], [])

    def test_one_that_does_not_is_found(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "a.md"
            file.write_text("# A `b` c\n# A `b` c\n[x](#a-b-c) [x](#a-b-c-1) [x](a.md#a-b-c) [x](https://a.example/b) `[x](none.md)`\n")
            self.assertEqual(broken(file), [])
            file.write_text('# A\n[x](#b) [x](none.md) [x](a.md#c)\n<img src="none.svg">\n')
            self.assertEqual([wrong.split(":")[0] for wrong in broken(file)], ["#b", "none.md", "a.md#c", "none.svg"])


if __name__ == "__main__":
    unittest.main()
