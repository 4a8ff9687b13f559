"""What `connectors.toml` may say about a directory: `[pools.<name>] type = "ldap"`."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

PORTS = {"ldap": 389, "ldaps": 636}


class LdapPoolConfig(BaseModel):
    """`[pools.<name>]` with `type = "ldap"`: where a directory is and who asks it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    type: Literal["ldap"] = Field("ldap", description="A directory instead of a database.")
    url: str = Field(description="`ldaps://host`, or `ldap://host`; a port may follow.")
    bind_dn: str | None = Field(default=None, description="Who asks; default: anonymous.")
    bind_password: str | None = Field(default=None, description="May be an `ENC:` value.")
    start_tls: bool = Field(
        default=False, description="Ask an `ldap://` server for TLS before anything else is sent."
    )
    verify_ssl: bool = Field(
        default=True,
        description="Check the server's certificate and name. false is told in the log each time.",
    )
    ca_file: str | None = Field(
        default=None, description="Certificates that are believed instead of the system's."
    )
    timeout: int = Field(default=30, ge=1, le=3_600, description="Seconds to wait for an answer.")
    connect_timeout: int = Field(default=10, ge=1, le=300, description="Seconds to wait for a connection.")
    page_size: int = Field(default=1_000, ge=1, le=100_000, description="Entries asked for at once.")
    max_runs: int | None = Field(
        default=None, ge=1, description="Runs that may use this pool at once; others wait. Default: no limit."
    )
    label: str | None = None
    description: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "LdapPoolConfig":
        scheme = self.address()[0]
        if scheme == "ldaps" and self.start_tls:
            raise ValueError("'start_tls' is for ldap://; ldaps:// is encrypted from its start")
        if (self.bind_dn is None) != (self.bind_password is None):
            raise ValueError("give both 'bind_dn' and 'bind_password', or neither for an anonymous bind")
        if self.bind_password == "":
            # A server takes it for an anonymous bind and says that all is well (RFC 4513, 5.1.2).
            raise ValueError("'bind_password' is empty")
        return self

    def address(self) -> tuple[str, str, int]:
        """Scheme, host and port. Raises ValueError for what is no address of a directory."""
        text = self.url if "://" in self.url else f"ldap://{self.url}"
        split = urlsplit(text)
        scheme = split.scheme.lower()
        if scheme not in PORTS:
            raise ValueError(f"must start with ldap:// or ldaps://, not {scheme[:20]}://")
        if not split.hostname or split.path.strip("/") or split.query or split.username is not None:
            raise ValueError("must be ldap://host or ldaps://host, with a port at most")
        return scheme, split.hostname, split.port or PORTS[scheme]
