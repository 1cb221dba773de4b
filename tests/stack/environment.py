"""What a stack tells the programs that use it: environment variables."""
import shlex
from collections.abc import Mapping

from bind import TSIG_NAME, ZONE, Bind
from folder import Folder, Settings
from genesys_sim import CLIENT_ID, GenesysSim
from pebble import Pebble
from ports import LOOPBACK

SIMULATOR = (
    "STACK_GENESYS_API",
    "STACK_GENESYS_LOGIN",
    "STACK_GENESYS_CA_FILE",
    "STACK_GENESYS_CLIENT_ID",
    "STACK_GENESYS_CLIENT_SECRET",
    "STACK_SIM_ADMIN",
    "STACK_CLOUD_ADDR",
)


def variables(folder: Folder, settings: Settings) -> dict[str, str]:
    pebble = Pebble(folder, settings)
    web_authority = str(folder.tls / "web-ca.crt")
    values = {
        "STACK_DIR": str(folder.path),
        "KUBECONFIG": str(folder.kubeconfig),
        "STACK_ACME_DIRECTORY": pebble.directory,
        "STACK_ACME_CA_FILE": web_authority,
        "STACK_ACME_MANAGEMENT": pebble.management,
        "STACK_ACME_ROOTS_FILE": str(pebble.roots),
        "STACK_DNS_ADDR": Bind(folder, settings).address(),
        "STACK_DNS_ZONE": ZONE,
        "STACK_DNS_TSIG_NAME": TSIG_NAME,
        "STACK_DNS_TSIG_SECRET": settings.tsig_secret,
    }
    if settings.simulator is not None:
        ports = GenesysSim(folder, settings).ports
        values |= {
            "STACK_GENESYS_API": f"https://{LOOPBACK}:{ports.api}",
            "STACK_GENESYS_LOGIN": f"https://{LOOPBACK}:{ports.login}",
            "STACK_GENESYS_CA_FILE": web_authority,
            "STACK_GENESYS_CLIENT_ID": CLIENT_ID,
            "STACK_GENESYS_CLIENT_SECRET": settings.client_secret,
            "STACK_SIM_ADMIN": f"http://{LOOPBACK}:{ports.control}",
        }
        if ports.cloud is not None:
            values["STACK_CLOUD_ADDR"] = f"{LOOPBACK}:{ports.cloud}"
    return values


def render(values: Mapping[str, str], tools: list[str]) -> str:
    """Lines for a shell's eval. What an earlier stack set and this one has not is unset."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    lines += [f"unset {name}" for name in SIMULATOR if name not in values]
    lines.append(f'export PATH={shlex.quote(":".join(tools))}:"$PATH"')
    return "\n".join(lines) + "\n"


def applied(values: Mapping[str, str], tools: list[str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command that is run on the stack."""
    kept = {name: value for name, value in inherited.items() if name not in SIMULATOR}
    return kept | dict(values) | {"PATH": ":".join([*tools, inherited.get("PATH", "/usr/bin:/bin")])}
