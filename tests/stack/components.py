"""The servers of a stack."""
from bind import Bind
from component import Component
from control_plane import Etcd, KubeApiserver
from folder import Folder, Settings
from genesys_sim import GenesysSim
from pebble import Pebble

KINDS: tuple[type[Component], ...] = (Etcd, KubeApiserver, Bind, Pebble, GenesysSim)


def components(folder: Folder, settings: Settings) -> list[Component]:
    return [kind(folder, settings) for kind in KINDS if kind is not GenesysSim or settings.simulator is not None]
