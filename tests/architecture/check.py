"""Checks the architecture: what each room's code really included (from ninja's record of dependencies), and which files touch the world.

Usage: check.py BUILD_FOLDER [--self-test]. Prints one line a violation and ends with 1 if there is any. With --self-test the same rules are given made-up
violations and must find each of them. `check.py --sources` needs no build: it looks at what the sources say, and not at what the compiler read.
"""

import pathlib
import re
import subprocess
import sys

import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]


def room_of_object(target: str) -> str | None:
    """The room that an object file belongs to; None for tests and precompiled headers."""
    match = re.search(r"controller/([a-z]+)/(?:[a-z0-9]+/)?src/", target)
    return match.group(1) if match else None


INCLUDE = re.compile(r'^#include "edgetrust/([a-z]+)/', flags=re.M)


def third_party_of(path: str) -> str | None:
    match = re.match(r"/usr/(?:local/)?include/(?:x86_64-linux-gnu/|aarch64-linux-gnu/)?(.*)", path)
    if not match:
        return None
    return next((prefix for prefix in rules.THIRD_PARTY if match.group(1).startswith(prefix)), None)


def judge_third_party(room: str, header: str) -> str | None:
    """What is wrong with code of `room` reading `header`, directly or through others; None when nothing is."""
    prefix = third_party_of(header)
    return f"{prefix} is not for {room}" if prefix and room not in rules.THIRD_PARTY[prefix] else None


def judge_includes(room: str, text: str) -> list[str]:
    """Rooms that a source of `room` names though it may not. What an allowed room's header brings along is that room's affair."""
    if room in rules.ANYTHING:
        return []
    allowed = rules.USES.get(room, set()) | {room}
    return [f"{room} may not use {used}" for used in sorted(set(INCLUDE.findall(text)) - allowed)]


def dependencies(build: pathlib.Path):
    """(object file, header) as the compiler reported them."""
    text = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=True).stdout
    target = ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            target = line.split(":")[0]
        elif line.strip():
            header = line.strip()
            yield target, header if header.startswith("/") else str((build / header).resolve())


def without_comments(text: str) -> str:
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def judge_source(path: str, text: str) -> list[str]:
    """Words in a product source that touch the world where they may not."""
    code = without_comments(text)
    return [f"{path}: {word.group(0)} is not for this file" for pattern, allowed in rules.WORLD.items() if path not in allowed for word in re.finditer(pattern, code)]


def check_sources() -> set[str]:
    found = set()
    controller = ROOT / "controller"
    for path in sorted(controller.rglob("*.[ch]pp")):
        name = str(path.relative_to(controller))
        text = path.read_text()
        found.update(judge_source(name, text))
        found.update(f"{name}: {wrong}" for wrong in judge_includes(name.split("/")[0], text))
    return found


def check(build: pathlib.Path) -> list[str]:
    found = check_sources()
    built = set()
    for target, header in dependencies(build):
        if room := room_of_object(target):
            built.add(room)
            if wrong := judge_third_party(room, header):
                found.add(f"{target}: {wrong}")
    missing = {folder.name for folder in (ROOT / "controller").iterdir() if (folder / "src").is_dir()} - built
    if missing:
        found.add(f"nothing is known of {', '.join(sorted(missing))}: build everything first")
    return sorted(found)


def self_test() -> list[str]:
    wrong = []
    if not judge_includes("acme", '#include "edgetrust/kube/client.hpp"'):
        wrong.append("a driver that uses another driver goes unseen")
    if not judge_third_party("reconcile", "/usr/include/openssl/evp.h"):
        wrong.append("OpenSSL in reconcile goes unseen")
    if judge_third_party("http", "/usr/include/cpprest/http_client.h") or judge_includes("main", '#include "edgetrust/acme/client.hpp"'):
        wrong.append("what is allowed is refused")
    if not judge_source("decide/src/x.cpp", "auto t = std::chrono::system_clock::now();"):
        wrong.append("a real clock in decide goes unseen")
    if judge_source("decide/src/x.cpp", "// never sleep_for here"):
        wrong.append("a comment is taken for code")
    if not judge_source("kube/src/x.cpp", "std::this_thread::sleep_for(1s);"):
        wrong.append("a sleep goes unseen")
    return wrong


def main() -> int:
    if "--self-test" in sys.argv:
        found = self_test()
    elif "--sources" in sys.argv:
        found = sorted(check_sources())
    else:
        found = check(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(found) or "the house rules hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
