"""What every server of the stack is: what it needs in its folder, how it is started, and by what answer it is known to be ready."""
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from folder import Folder, Settings, StackError


class Component(ABC):
    name: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()  # started when these are ready
    grace: ClassVar[float] = 0.0  # seconds between SIGTERM and SIGKILL; the others are killed at once, for nothing of theirs is kept

    def __init__(self, folder: Folder, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings

    @property
    def home(self) -> Path:
        return self.folder.of(self.name)

    @property
    def output(self) -> Path:
        """Where its standard output goes."""
        return self.folder.log(self.name)

    def port(self, name: str) -> int:
        return self.settings.ports[name]

    def tool(self, name: str) -> str:
        for folder in self.settings.tools:
            if (Path(folder) / name).exists():
                return str(Path(folder) / name)
        raise StackError(f"{name} is not built; 'make setup' builds it")

    def prepare(self) -> None:
        """Writes its files, once; ports may have changed when it is called again."""

    def before_start(self) -> None:
        """Each time, also before a restart."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool:
        """True when it does its work; False or OSError while it does not yet."""

    def when_ready(self) -> None:
        """Each time, also after a restart."""

    def dependency_restarted(self) -> None:
        """One of `after` is ready again, while this one ran on."""

    @abstractmethod
    def address(self) -> str: ...
