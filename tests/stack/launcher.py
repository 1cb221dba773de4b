"""Starts components together, waits until each answers, and says why one does not."""
import http.client
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from subprocess import Popen

import processes
from component import Component
from components import KINDS
from folder import Folder, StackError

SECONDS = 90.0  # far above the 10 or so that it takes on a quiet machine
TAIL_LINES = 15
CLASH = re.compile(r"address (already )?in use", re.IGNORECASE)

Tell = Callable[[str], None]


class ComponentFailed(StackError):
    def __init__(self, component: Component, why: str, said: str) -> None:
        tail = "\n".join(f"    {line}" for line in said.splitlines()[-TAIL_LINES:])
        super().__init__(f"{component.name} {why}. The last lines of its log:\n{tail or '    (nothing)'}")
        self.is_port_clash = CLASH.search(said) is not None


@dataclass
class Starting:
    component: Component
    process: Popen[bytes]
    log_offset: int
    last_answer: str = "none yet"

    def said(self) -> str:
        """Its log since this start."""
        with self.component.folder.log(self.component.name).open("rb") as log:
            log.seek(self.log_offset)
            return log.read().decode("utf-8", "replace")

    def check(self) -> None:
        status = self.process.poll()
        if status is not None:
            how = f"with status {status}" if status >= 0 else f"by signal {-status}"
            raise ComponentFailed(self.component, f"ended {how} instead of becoming ready", self.said())
        said = self.said()
        if CLASH.search(said):  # BIND goes on without the address
            raise ComponentFailed(self.component, "found its port taken", said)

    def answers(self) -> bool:
        try:
            answers = self.component.answers()
            self.last_answer = "not the one of a server that is ready"
            return answers
        except (OSError, http.client.HTTPException) as error:
            self.last_answer = str(error) or type(error).__name__
            return False


def launch(component: Component) -> Starting:
    component.before_start()
    log = component.folder.log(component.name)
    log.touch(mode=0o600)
    offset = log.stat().st_size
    process = processes.start(component.command(), component.folder.path, component.output, log)
    identity = processes.identify(process.pid)
    if identity is not None:  # None: ended already, which the first check tells
        component.folder.remember(component.name, identity)
    return Starting(component, process, offset)


def start(components: Iterable[Component], tell: Tell) -> None:
    """Returns when all are ready; raises ComponentFailed for the first that is not, and leaves the others running."""
    began = time.monotonic()
    waiting, starting, ready = list(components), list[Starting](), set[str]()
    names = {component.name for component in waiting}
    while waiting or starting:
        for component in [one for one in waiting if set(one.after) & names <= ready]:
            waiting.remove(component)
            starting.append(launch(component))
        for one in list(starting):
            one.check()
            if one.answers():
                one.component.when_ready()
                starting.remove(one)
                ready.add(one.component.name)
                tell(f"  {one.component.name:<15} ready after {time.monotonic() - began:4.1f} s   {one.component.address()}")
        if starting and time.monotonic() - began > SECONDS:
            raise ComponentFailed(starting[0].component, f"did not answer within {SECONDS:.0f} s (the last answer: {starting[0].last_answer})", starting[0].said())
        time.sleep(0.02)


def is_running(component: Component) -> bool:
    process = component.folder.process(component.name)
    return process is not None and processes.is_running(process)


def kill(component: Component) -> None:
    process = component.folder.process(component.name)
    if process is not None:
        report_stuck(processes.end([process]))


def stop_all(folder: Folder) -> None:
    """Ends all that was started for a folder: what its pid files name, and what was cut off before its pid was written."""
    for kind in KINDS:
        process = folder.process(kind.name)
        if process is not None and kind.grace > 0:
            processes.end([process], kind.grace)
    known = [folder.process(kind.name) for kind in KINDS]
    report_stuck(processes.end({process for process in known if process is not None} | set(processes.marked(folder.path))))


def report_stuck(left: Sequence[processes.Identity]) -> None:
    if left:
        raise StackError(f"could not end process {', '.join(str(process.pid) for process in left)}")
