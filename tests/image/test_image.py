"""The container image that `controller/image/build` has made of the program. IMAGE is the folder that it was put into, EDGETRUST the program."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "controller" / "image"
sys.path.append(str(HERE.parent / "support"))
import pinned  # noqa: E402

IMAGE, EDGETRUST = Path(os.environ["IMAGE"]), os.environ["EDGETRUST"]
MOST = 16 * 1024 * 1024
ROOTS = "etc/ssl/certs/ca-certificates.crt"


def run(*command: str | Path, **more: Any) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Layout:
    """An OCI layout in an archive, each blob against its digest."""

    def __init__(self, archive: Path) -> None:
        with tarfile.open(archive) as tar:
            self.files = {name.removeprefix("./"): tar.extractfile(name).read() for name in tar.getnames() if tar.getmember(name).isfile()}
        self.index = json.loads(self.files["index.json"])
        (self.entry,) = self.index["manifests"]
        self.manifest = json.loads(self.blob(self.entry))
        self.config = json.loads(self.blob(self.manifest["config"]))
        (self.layer,) = self.manifest["layers"]

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        algorithm, value = descriptor["digest"].split(":")
        content = self.files[f"blobs/{algorithm}/{value}"]
        assert hashlib.new(algorithm, content).hexdigest() == value and len(content) == descriptor["size"], descriptor
        return content


class Image(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="edgetrust-image-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.archive,) = IMAGE.glob("edgetrust-*.tar")
        self.layout = Layout(self.archive)

    def root(self) -> Path:
        """The image's root file system, as a runtime unpacks it."""
        layer, root = self.folder / "layer", self.folder / "root"
        layer.write_bytes(self.layout.blob(self.layout.layer))
        root.mkdir()
        run("tar", "--extract", "--gzip", "--file", layer, "--directory", root)
        return root

    def members(self) -> list[tarfile.TarInfo]:
        layer = self.folder / "layer"
        layer.write_bytes(self.layout.blob(self.layout.layer))
        with tarfile.open(layer) as tar:
            return tar.getmembers()

    @staticmethod
    def program(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The image's program in its root, as its user where this test may choose one."""
        into = ["chroot", "--userspec=65532:65532", str(root)] if os.geteuid() == 0 else ["unshare", "--user", f"--root={root}"]
        return subprocess.run([*into, "/usr/bin/edgetrust", *arguments], capture_output=True, text=True, check=False, env={"PATH": "/usr/sbin:/usr/bin"}, timeout=60)

    # --- the build

    def test_a_second_build_gives_the_same_digest(self) -> None:
        moment = self.layout.config["created"]
        epoch = run("date", f"--date={moment}", "+%s").strip()
        environment = os.environ | {"SOURCE_DATE_EPOCH": epoch, "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": str(self.folder)}
        said = run(SOURCE / "build", EDGETRUST, "other/image", cwd=self.folder, env=environment, umask=0o077)
        digest = (IMAGE / "digest").read_text().strip()
        self.assertRegex(said.splitlines()[-1], rf"^{digest}, \d+\.\d MiB compressed$")
        again = self.folder / "other" / "image" / self.archive.name
        self.assertTrue(again.read_bytes() == self.archive.read_bytes(), "the archive differs")

    def test_the_program_does_not_tell_where_it_was_compiled(self) -> None:
        program = (self.root() / "usr/bin/edgetrust").read_bytes()
        self.assertIn(b"controller/", program, "files of its own are named from the checkout's folder on")
        self.assertNotIn(str(HERE.parents[1]).encode(), program)
        self.assertNotIn(b"../controller/", program, "with and without ccache it is one program")

    def test_the_digest_is_that_of_the_manifest_and_the_size_is_small(self) -> None:
        self.assertEqual(self.layout.entry["digest"], (IMAGE / "digest").read_text().strip())
        blobs = [content for name, content in self.layout.files.items() if name.startswith("blobs/")]
        self.assertEqual(len(blobs), 3, "manifest, configuration, layer")
        self.assertLess(sum(map(len, blobs)), MOST)

    def test_what_is_no_debian_packages_is_refused(self) -> None:
        root, stray = self.folder / "root", self.folder / "libstray.so"
        run("gcc", "-shared", "-o", stray, "-x", "c", "/dev/null")
        program = self.folder / "program"
        run("gcc", "-o", program, "-x", "c", "-", "-x", "none", "-Wl,--no-as-needed", stray, f"-Wl,-rpath,{self.folder}", input='#include <stdio.h>\nint main(void) { puts("program 1"); }\n')
        done = subprocess.run([SOURCE / "stage", program, root], env=os.environ | {"SOURCE_DATE_EPOCH": "0"}, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, "libstray.so belongs to no Debian package" in done.stderr), (1, True), done.stderr)

    def test_the_dockerfile_says_the_same_and_the_script_that_it_names_writes_the_layer(self) -> None:
        """Docker itself builds nothing here: what its file says is compared."""
        build, image = (SOURCE / "Dockerfile").read_text().split("FROM scratch\n")
        # The content: all of what the same script writes, and nothing else.
        self.assertRegex(build, r"(?m)^RUN .*controller/image/stage build/release/edgetrust /image$")
        self.assertEqual(re.findall(r"(?m)^(?:COPY|ADD|RUN) .*", image), ["COPY --from=build /image/ /"])
        config = self.layout.config["config"]
        self.assertEqual(re.findall(r"(?m)^USER (.*)", image), [config["User"]])
        self.assertEqual([json.loads(value) for value in re.findall(r"(?m)^ENTRYPOINT (.*)", image)], [config["Entrypoint"]])
        self.assertEqual(re.findall(r"(?m)^ENV (.*)", image), config["Env"])
        labels = dict(one.split("=") for line in re.findall(r"(?m)^LABEL (.*)", image) for one in line.split())
        self.assertLessEqual(labels.items(), config["Labels"].items())
        # And that script's output is the layer.
        staged = self.folder / "staged"
        run(SOURCE / "stage", EDGETRUST, staged, env=os.environ | {"SOURCE_DATE_EPOCH": run("date", f"--date={self.layout.config['created']}", "+%s").strip()})
        self.assertEqual(run("diff", "--recursive", "--no-dereference", staged, self.root()), "")

    # --- the content

    def test_it_runs_as_nobody_and_nobody_may_change_it(self) -> None:
        self.assertEqual(self.layout.config["config"]["User"], "65532:65532")
        for member in self.members():
            with self.subTest(member.name):
                self.assertEqual((member.uid, member.gid), (0, 0))
                self.assertTrue(member.isfile() or member.isdir() or member.issym())
                if not member.issym():
                    self.assertEqual(member.mode & ~0o755, 0, "no bit for others, none of setuid")

    def test_nothing_runs_but_the_program(self) -> None:
        running = {member.name for member in self.members() if member.isfile() and member.mode & 0o111}
        self.assertIn("./usr/bin/edgetrust", running)
        self.assertEqual({Path(name).name.split("-")[0] for name in running}, {"edgetrust", "ld"}, "no shell, no package manager: the program and the loader")
        for name in ("sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "perl", "python3"):
            self.assertFalse([member.name for member in self.members() if Path(member.name).name == name and not member.isdir()], name)

    def test_the_program_is_hardened_where_it_is_linked(self) -> None:
        program = self.root() / "usr/bin/edgetrust"
        self.assertIn("DYN (Position-Independent Executable file)", run("readelf", "--file-header", program))
        self.assertRegex(run("readelf", "--dynamic", program), r"FLAGS_1.*NOW")
        segments = run("readelf", "--program-headers", "--wide", program)
        self.assertIn("GNU_RELRO", segments)
        self.assertRegex(segments, r"GNU_STACK .* RW +0x")

    def test_it_starts_in_its_root_alone(self) -> None:
        root = self.root()
        self.assertEqual(self.program(root, "--version").stdout, run(EDGETRUST, "--version"))
        self.assertTrue((root / "usr/share/zoneinfo/Europe/Dublin").is_file())
        self.assertEqual([link for link in root.rglob("*") if link.is_symlink() and not (link.exists() and link.resolve().is_relative_to(root))], [], "links that lead nowhere")

    # --- public roots

    def test_a_chain_of_the_public_web_is_verified_by_its_roots(self) -> None:
        root, chain = self.root(), HERE / "public_chain.pem"
        verify = ["openssl", "verify", "-attime", "1675209600", "-no-CApath", "-no-CAstore", "-verify_hostname", "www.google.com", "-untrusted", str(chain)]
        self.assertIn("OK", run(*verify, "-CAfile", root / ROOTS, chain))
        # The chain is good for that root alone.
        bundle = run("openssl", "crl2pkcs7", "-nocrl", "-certfile", root / ROOTS, "-out", self.folder / "bundle.p7") + run("openssl", "pkcs7", "-in", self.folder / "bundle.p7", "-print_certs")
        others = [one for one in bundle.split("subject=")[1:] if not one.rstrip().splitlines()[0].endswith("CN = GTS Root R1")]
        self.assertEqual(len(others), bundle.count("subject=") - 1)
        without = self.folder / "without.pem"
        without.write_text("".join(others))
        with self.assertRaisesRegex(AssertionError, "unable to get (local )?issuer certificate"):
            run(*verify, "-CAfile", without, chain)

    def test_openssl_loads_no_roots_by_itself(self) -> None:
        root, paths = self.root(), ssl.get_default_verify_paths()
        for path in (paths.openssl_cafile, paths.openssl_capath):
            self.assertFalse((root / path.lstrip("/")).exists(), path)

    def test_the_program_knows_the_roots(self) -> None:
        """It judges a chain by them; without them it says that they are not there."""
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        root = self.root()
        with socket.create_server(("127.0.0.1", 0)) as server:

            def serve() -> None:
                for _ in range(2):
                    connection, _ = server.accept()
                    with connection, context.wrap_socket(connection, server_side=True) as stream:
                        stream.recv(1)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            ask = ("pin", "show", f"127.0.0.1:{server.getsockname()[1]}", "--servername", "localhost")
            with_roots = self.program(root, *ask)
            (root / ROOTS).unlink()
            without = self.program(root, *ask)
            thread.join(30)
        self.assertIn("The chain does not validate", with_roots.stdout, with_roots.stderr)
        self.assertIn("the public roots cannot be read from /etc/ssl/certs/ca-certificates.crt", without.stdout + without.stderr)

    # --- the SBOM

    def validate(self, document: Path) -> subprocess.CompletedProcess[str]:
        validator = pinned.python(HERE / "spdx.txt")
        return subprocess.run([validator, "-m", "spdx_tools.spdx.clitools.pyspdxtools", "--infile", document], capture_output=True, text=True, check=False)

    def test_the_sbom_is_valid(self) -> None:
        written = IMAGE / "edgetrust.spdx.json"
        done = self.validate(written)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        broken = json.loads(written.read_text())
        broken["packages"].pop()  # that the relationships still speak of
        (self.folder / "broken.spdx.json").write_text(json.dumps(broken))
        self.assertNotEqual(self.validate(self.folder / "broken.spdx.json").returncode, 0)

    def test_the_sbom_names_all_that_is_in_the_image(self) -> None:
        root = self.root()
        written = json.loads((IMAGE / "edgetrust.spdx.json").read_text())
        self.assertEqual((root / "usr/share/doc/edgetrust/edgetrust.spdx.json").read_text(), (IMAGE / "edgetrust.spdx.json").read_text())
        packages = {one["name"]: one for one in written["packages"]}
        program = hashlib.sha256((root / "usr/bin/edgetrust").read_bytes()).hexdigest()
        self.assertEqual(packages["edgetrust"]["checksums"], [{"algorithm": "SHA256", "checksumValue": program}])
        libraries = [f"*/{file.parent.name}/{file.name}" for folder in ("lib", "lib64") for file in (root / "usr" / folder).rglob("*.so*")]
        owners = {line.split(":")[0] for line in run("dpkg-query", "--search", *libraries).splitlines() if not line.startswith("diversion")}
        self.assertLessEqual(owners, set(packages))
        del packages["edgetrust"]
        installed = dict(line.split("=") for line in run("dpkg-query", "--show", "--showformat=${Package}=${Version}\n", *packages).splitlines())
        self.assertEqual({name: package["versionInfo"] for name, package in packages.items()}, installed)
        for name in packages:
            self.assertTrue((root / "usr/share/doc" / name / "copyright").is_file(), name)


if __name__ == "__main__":
    unittest.main()
