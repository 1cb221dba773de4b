"""The folder of one stack: where its files lie, what was chosen for it, and the lock that lets one command at a time change it."""
import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import Identity

OURS = ("logs", "pids", "tls", "tmp", "etcd", "kube-apiserver", "bind", "pebble", "genesys-sim", "kubeconfig", "stack.json", "lock")


class StackError(Exception):
    """Something the user is told, without a trace."""


@dataclass(frozen=True)
class Edge:
    """An Edge that the simulator starts with."""

    id: str
    name: str
    site: str
    timeZone: str
    sipPort: int
    host: str


@dataclass
class Settings:
    """What `up` chose; all later commands read it."""

    ports: dict[str, int]
    tsig_secret: str
    client_secret: str
    tools: list[str]
    simulator: str | None = None
    edges: list[Edge] = field(default_factory=list)
    complete: bool = False  # False: `up` has not finished, or was killed

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @staticmethod
    def from_json(text: str) -> "Settings":
        values: dict[str, Any] = json.loads(text)
        values["edges"] = [Edge(**edge) for edge in values["edges"]]
        return Settings(**values)


def write_private(path: Path, text: str) -> None:
    """For what holds a secret: readable by its owner alone, and never seen half written."""
    new = path.with_name(path.name + ".new")
    with open(new, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    new.replace(path)


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def tls(self) -> Path:
        return self.path / "tls"

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"

    def of(self, component: str) -> Path:
        return self.path / component

    def log(self, component: str) -> Path:
        return self.path / "logs" / f"{component}.log"

    # -- processes

    def _pid_file(self, component: str) -> Path:
        return self.path / "pids" / component

    def remember(self, component: str, process: Identity) -> None:
        self._pid_file(component).write_text(process.render())

    def process(self, component: str) -> Identity | None:
        try:
            return Identity.parse(self._pid_file(component).read_text())
        except (FileNotFoundError, ValueError):
            return None

    # -- settings

    @property
    def settings_file(self) -> Path:
        return self.path / "stack.json"

    def holds_stack(self) -> bool:
        return self.settings_file.exists()

    def load(self) -> Settings:
        try:
            return Settings.from_json(self.settings_file.read_text())
        except FileNotFoundError:
            raise StackError(f"no stack in {self.path}; 'make stack-up' starts one") from None
        except (ValueError, TypeError, KeyError):
            raise StackError(f"{self.settings_file} was written by another version of the stack; 'make stack-down' removes it") from None

    def save(self, settings: Settings) -> None:
        write_private(self.settings_file, settings.to_json())

    # -- the folder itself

    def create(self) -> None:
        """Makes the empty folders. What is not ours is never mixed with a stack, for `remove` must not meet it."""
        foreign = sorted(entry.name for entry in self.path.iterdir() if entry.name not in OURS)
        if foreign:
            raise StackError(f"{self.path} is no stack's folder: it holds {', '.join(foreign[:3])}")
        self._clear(keep="lock")
        for name in OURS:
            if name not in ("kubeconfig", "stack.json", "lock"):
                (self.path / name).mkdir(mode=0o700)

    def remove(self) -> list[str]:
        """Removes what is ours, and the folder if nothing else is in it; the names that are left."""
        self._clear(keep="")
        left = sorted(entry.name for entry in self.path.iterdir())
        if not left:
            self.path.rmdir()
        return left

    def _clear(self, keep: str) -> None:
        for name in OURS:
            entry = self.path / name
            if name == keep:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)

    @contextmanager
    def locked(self, tell: Callable[[str], None]) -> Iterator[None]:
        """Holds the folder's lock, and makes the folder for it; at the end a folder in which nothing came to be is gone again."""
        made = False
        while True:
            made = made or not self.path.exists()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                lock = open(self.path / "lock", "w", encoding="utf-8")
            except FileNotFoundError:  # removed by another command in this moment
                continue
            with lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    tell(f"another command is at work in {self.path}: waiting for it")
                    fcntl.flock(lock, fcntl.LOCK_EX)
                if not self._is_current(lock.fileno()):  # the holder before us removed the folder
                    continue
                try:
                    yield
                finally:
                    if self.path.exists() and not self.holds_stack():
                        (self.path / "lock").unlink(missing_ok=True)
                        if made and not any(self.path.iterdir()):
                            self.path.rmdir()
                return

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path / "lock"))
        except FileNotFoundError:
            return False
