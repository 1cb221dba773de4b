"""Compares the index of docs/operations.md with the reasons and conditions that the sources can say, both ways; and the endings that states.md lists of
those that are put together.

Usage: reasons.py [--self-test]. Prints one line a difference and ends with 1 if there is any. With --self-test the same comparison is given made-up sources
and indexes and must find what is wrong with each.
"""

import pathlib
import re
import sys

import rules

CONTROLLER = pathlib.Path(__file__).resolve().parents[2] / "controller"
SOURCES = ["decide/src", "decide/include", "reconcile/src", "main/src", "api/include/edgetrust/api/conditions.hpp"]
INDEX = CONTROLLER / "docs" / "operations.md"
HEADING = "## Every condition, reason and Event, by name"
ENDINGS = CONTROLLER / "docs" / "states.md"
ENDINGS_HEADING = "### The second half of a reason"
ENDINGS_SOURCE = CONTROLLER / "api" / "src" / "conditions.cpp"

# A comment, a character or a string, whichever begins first: a quote in a comment opens nothing, and two slashes in a string comment nothing out.
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])'|"((?:\\.|[^"\\\n])*)\"""", flags=re.S)
WORD = re.compile(r"[A-Z][A-Za-z]+")
EFFECT = re.compile(r'\bkName = "(\w+)"')
ENTRY = re.compile(r"^\| `([A-Za-z]+…?)` \|", flags=re.M)


def words_in(text: str) -> set[str]:
    """The strings of a source that look like a reason, without the names of effects."""
    return {found.group(1) for found in TOKEN.finditer(text) if WORD.fullmatch(found.group(1) or "")} - set(EFFECT.findall(text))


def entries_in(document: str, heading: str) -> list[str]:
    _, _, rest = document.partition(heading + "\n")
    return ENTRY.findall(re.split(r"\n##+ ", rest)[0])


def judge(words: set[str], entries: list[str]) -> list[str]:
    said = {word + "…" if word in rules.SUBJECTS else word for word in words - rules.NO_REASONS}
    wrong = [f"{word} has no line in the index" for word in sorted(said - set(entries))]
    wrong += [f"{entry} is in the index, and nothing says it" for entry in sorted(set(entries) - said)]
    wrong += [f"{word} is in rules.py, and in no source" for word in sorted((rules.NO_REASONS | rules.SUBJECTS) - words)]
    if entries != sorted(set(entries), key=lambda entry: (entry.casefold(), entry)):
        wrong.append("the index is not in alphabetical order, or has a name twice")
    return wrong


def judge_endings(said: set[str], listed: list[str]) -> list[str]:
    return [f"the ending {ending} is only in one of docs/states.md and manner_of()" for ending in sorted(said ^ set(listed))]


def check() -> list[str]:
    files = [path for source in SOURCES for path in ([CONTROLLER / source] if source.endswith(".hpp") else sorted((CONTROLLER / source).rglob("*.[ch]pp")))]
    wrong = judge(set().union(*(words_in(path.read_text()) for path in files)), entries_in(INDEX.read_text(), HEADING))
    return wrong + judge_endings(words_in(ENDINGS_SOURCE.read_text()), entries_in(ENDINGS.read_text(), ENDINGS_HEADING))


def self_test() -> list[str]:
    wrong = []
    source = """// "NotMeant" 'quoted
        static constexpr std::string_view kName = "Push";
        say('"', "https://ca/x", "Planted"); /* "NorThis" */ say("Two words", "Second");"""
    if words_in(source) != {"Planted", "Second"}:
        wrong.append(f"a source is misread: {sorted(words_in(source))}")
    index = f"x\n{HEADING}\n| name |\n| `Dns…` | a |\n| `Ready` | b |\n\n## Next\n| `Other` | c |\n"
    if entries_in(index, HEADING) != ["Dns…", "Ready"]:
        wrong.append(f"an index is misread: {entries_in(index, HEADING)}")
    listed = rules.NO_REASONS | rules.SUBJECTS
    subjects = sorted((subject + "…" for subject in rules.SUBJECTS), key=str.casefold)
    if judge(listed, subjects):
        wrong.append("what is right is refused")
    if judge(listed | {"Planted"}, subjects) != ["Planted has no line in the index"]:
        wrong.append("a reason without a line goes unseen")
    if judge(listed, subjects + ["Zzz"]) != ["Zzz is in the index, and nothing says it"]:
        wrong.append("a line that is outdated goes unseen")
    if len(judge(listed - {"GET"}, subjects)) != 1:
        wrong.append("a word that is excused for nothing goes unseen")
    if len(judge(listed, subjects[::-1])) != 1:
        wrong.append("an index out of order goes unseen")
    if len(judge_endings({"Forbidden", "Refused"}, ["Refused", "Lost"])) != 2:
        wrong.append("an ending that is in one place only goes unseen")
    return wrong


def main() -> int:
    found = self_test() if "--self-test" in sys.argv else check()
    print("\n".join(found) or "the index names what the sources say")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
