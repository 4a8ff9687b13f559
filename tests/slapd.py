"""A real directory server for tests: OpenLDAP's slapd in a temporary folder, with TLS, started on first use.

The server gets a signal from the kernel when the test process ends in whatever way, so none is left behind.
"""

import base64
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from tests.pg import free_port

SUFFIX = "dc=example,dc=org"
ADMIN = f"cn=admin,{SUFFIX}"
PASSWORD = "open sesame"
START_SECONDS = 30
PR_SET_PDEATHSIG = 1
SCHEMAS = ("core", "cosine", "nis", "inetorgperson", "msuser")

CONFIG = """\
{includes}
pidfile {folder}/slapd.pid
modulepath {modules}
moduleload back_mdb
sizelimit {limit}
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSCACertificateFile {folder}/server.pem
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw "{password}"
directory {folder}/data
maxsize 1073741824
index objectClass eq
index uid eq
dbnosync
"""


class SlapdMissing(RuntimeError):
    """No server, or it does not start."""


def find_server() -> str | None:
    """The server's program; None when it is not installed."""
    return shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/libexec")


class Slapd:
    """One server with the data of `entries`, on loopback; the certificate is for `localhost` and 127.0.0.1."""

    def __init__(self, folder: Path, *, limit: str = "unlimited") -> None:
        self.folder = folder
        self._limit = limit
        self.port = 0
        self.tls_port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldap://localhost:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://localhost:{self.tls_port}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "server.pem")

    def pool(self, **more: Any) -> dict[str, Any]:
        """The settings of a pool on this server."""
        settings = {"type": "ldap", "url": self.url, "bind_dn": ADMIN, "bind_password": PASSWORD}
        return {**settings, **more}

    def fill(self, ldif: Iterable[str]) -> None:
        """Put entries in, before the server is started."""
        (self.folder / "data").mkdir()
        schemas = next(
            path for path in map(Path, ("/etc/ldap/schema", "/etc/openldap/schema")) if path.exists()
        )
        libraries = map(Path, ("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/libexec/openldap"))
        modules = next(path for path in libraries if path.exists())
        config = CONFIG.format(
            includes="\n".join(f"include {schemas / name}.schema" for name in SCHEMAS),
            folder=self.folder,
            modules=modules,
            limit=self._limit,
            suffix=SUFFIX,
            admin=ADMIN,
            password=PASSWORD,
        )
        (self.folder / "slapd.conf").write_text(config)
        make_certificate(self.folder)
        (self.folder / "data.ldif").write_text("\n\n".join([ROOT, *ldif]) + "\n")
        done = subprocess.run(
            [self._program(), "-T", "add", "-q", "-f", "slapd.conf", "-l", "data.ldif"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SlapdMissing(f"the entries were not taken: {done.stderr[-2000:]}")

    def start(self) -> None:
        self.port, self.tls_port = free_port(), free_port()
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program(), "-d", "0", "-f", "slapd.conf", "-h", urls],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_dies_with_us(),
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise SlapdMissing(f"slapd does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def modify(self, change: Callable[[Any], object]) -> None:
        """Change entries over a connection of the library's own."""
        import ldap3

        with ldap3.Connection(
            ldap3.Server("localhost", self.port), ADMIN, PASSWORD, auto_bind=True
        ) as connection:
            change(connection)
            assert connection.result["result"] == 0, connection.result

    def freeze(self) -> None:
        """It accepts connections and answers nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    @staticmethod
    def _program() -> str:
        program = find_server()
        if program is None:
            raise SlapdMissing("no slapd: requirements/system.sh installs it on Debian")
        return program


ROOT = (
    f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
    + "\n\n".join(
        f"dn: ou={name},{SUFFIX}\nobjectClass: organizationalUnit\nou: {name}"
        for name in ("people", "nobody")
    )
)


def person(uid: str, **attributes: Any) -> str:
    """The LDIF of one person; lists are several values, bytes are binary ones."""
    lines = [f"dn: uid={uid},ou=people,{SUFFIX}", "objectClass: inetOrgPerson"]
    for name, value in {"uid": uid, "cn": uid.title(), "sn": "Example", **attributes}.items():
        for one in value if isinstance(value, list) else [value]:
            encoded = one if isinstance(one, bytes) else str(one).encode()
            lines.append(f"{name}:: {base64.b64encode(encoded).decode()}")
    return "\n".join(lines)


def make_certificate(folder: Path) -> None:
    """A certificate that nobody believes unless told to."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _dies_with_us() -> Callable[[], None] | None:
    """What a child does first: ask the kernel for a signal when its parent is gone. Linux has it."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) and None


def why_not() -> str | None:
    """Why no server can be started here; None when one can."""
    if find_server() is None:
        return "no slapd: run requirements/system.sh as root, or install slapd"
    if os.geteuid() != 0:
        return "slapd is confined to its own folders for anyone but root"
    return None
