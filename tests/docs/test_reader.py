"""Whether a mistake in a document that is followed (reader.py) is found, and whether those documents are of that form."""

import os
import tempfile
import unittest
from pathlib import Path

from reader import Mistake, Reader, blocks, matches

DOCS = Path(__file__).resolve().parents[2] / "controller" / "docs"
FOLLOWED = ("install.md", "first-rotation.md", "backup-and-restore.md")


class Following(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def follow(self, text: str, values: dict[str, str] | None = None, files: dict[str, str] | None = None) -> list[str]:
        document = self.folder / "document.md"
        document.write_text(text)
        return list(Reader(document, self.folder, os.environ, values or {}, files or {}).follow())

    def wrong(self, text: str, what: str, **own: dict[str, str]) -> None:
        with self.assertRaisesRegex(Mistake, what):
            self.follow(text, **own)

    def test_the_blocks_are_run_in_their_order_with_one_folder_and_one_environment(self) -> None:
        text = """# A
<!-- yours -->
```sh
export HOST=edge.example.com PORT=1   # its name
```
<!-- yours: values.yaml -->
```yaml
a: 1
```
## B
```sh
export LATER="$HOST:$PORT"
cat values.yaml >copy
```
<!-- not run: there is no such program here -->
```sh
no-such-program
```
## C
```sh
echo "$LATER"; cat copy
```
```text
a.example:2
b: …
```
"""
        self.assertEqual(self.follow(text, {"HOST": "a.example", "PORT": "2"}, {"values.yaml": "b: 3\n"}), ["A", "B", "C"])

    def test_a_command_that_fails_is_told_with_its_place(self) -> None:
        self.wrong("text\n\n```sh\ntrue\nfalse\ntrue\n```\n", r"document.md:3: ended with 1")
        self.wrong("```sh\nfalse | true\n```\n", "ended with 1")
        self.wrong('```sh\necho "$NOT_SET"\n```\n', "NOT_SET: unbound variable")

    def test_a_block_that_would_not_be_run_has_to_say_why(self) -> None:
        for block in ("```\na\n```", "```yaml\na: 1\n```", "```bash\ntrue\n```", "- a\n  ```sh\n  true\n  ```", "<!-- not run -->\n```sh\ntrue\n```", "<!-- not ran: why -->\n```sh\ntrue\n```", "```sh\ntrue\n"):
            with self.subTest(block):
                self.wrong(block + "\n", "document.md:")

    def test_only_what_is_marked_is_the_readers_own(self) -> None:
        asked = "<!-- yours -->\n```sh\nexport HOST=a\n```\n"
        self.wrong(asked, "asks for", values={})
        self.wrong(asked, "asks for", values={"HOST": "b", "OTHER": "c"})
        self.wrong("```sh\ntrue\n```\n", "asks for", files={"values.yaml": ""})
        self.wrong("<!-- yours -->\n```sh\nexport HOST=a\nrm -rf b\n```\n", "no `export", values={"HOST": "b"})

    def test_what_is_printed_is_compared(self) -> None:
        self.wrong("```sh\necho a b\n```\n```text\na c\n```\n", "printed was")
        self.wrong("```text\na\n```\n", "nothing was run")
        for expected, printed, same in (
            ("NAME  AGE\nedge01 …", "NAME     AGE\nedge01   3s\n", True),
            ("edge01 …", "edge02 3s\n", False),
            ("edge01", "edge01\nmore\n", False),
            ("…\nlast", "one\ntwo\nlast\n", True),
            ("first\n…", "first\n", True),
            ("a.b", "axb\n", False),
        ):
            with self.subTest(expected):
                self.assertEqual(matches(expected, printed), same)


class Documents(unittest.TestCase):
    def test_those_that_are_followed_say_of_each_block_what_it_is(self) -> None:
        for name in FOLLOWED:
            kinds = [block.kind for block in blocks(DOCS / name)]
            self.assertGreater(kinds.count("commands"), kinds.count("not run"), name)
            self.assertGreater(kinds.count("output"), 0, name)


if __name__ == "__main__":
    unittest.main()
