"""`ENC:` values: AES-256-GCM under a master key, with older keys kept for reading."""

import base64
import hashlib
import logging
import os
import re
import stat
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from secrets import token_hex, token_urlsafe
from threading import Lock

from liberty.errors import Internal, Invalid, Unavailable
from liberty.secrets.redactor import redactor

logger = logging.getLogger("liberty.secrets")

PREFIX = "ENC:"
KEY_FILE = "master.key"

# The published layout of an `ENC:` value: base64(salt | iv | tag | ciphertext).
_SALT_BYTES = 64
_IV_BYTES = 16
_TAG_BYTES = 16
_KEY_BYTES = 32
_PBKDF2_ROUNDS = 2145

_WEAK_BELOW_CHARACTERS = 16
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


class Keyring:
    """Encrypts with the first key, decrypts with whichever key fits. Thread-safe.

    Without any key, the first thing to encrypt makes `key_file` with a random one.
    """

    def __init__(self, keys: Iterable[str] = (), *, key_file: Path | None = None) -> None:
        self._keys = tuple(dict.fromkeys(key for key in keys if key))
        self._key_file = key_file
        self._making_key = Lock()
        # Deriving a key takes about a millisecond, and a reload decrypts the same values again.
        self._derived = lru_cache(maxsize=1024)(_derive)
        for key in self._keys:
            redactor.register(key)

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], data_dir: Path | None, *, configured: Iterable[str] = ()
    ) -> "Keyring":
        """The keys, in order: `LIBERTY_MASTER_KEY`, `configured`, `LIBERTY_MASTER_KEY_OLD` (commas), the key file.

        `LIBERTY_MASTER_KEY_FILE` may name a file that holds the first. Raises Invalid when a file that is there
        cannot be used, which includes a key file that others may read.
        """
        keys = [_from_variable(environ, "LIBERTY_MASTER_KEY"), *configured]
        keys += [key.strip() for key in _from_variable(environ, "LIBERTY_MASTER_KEY_OLD").split(",")]
        key_file = None if data_dir is None else data_dir / KEY_FILE
        if key_file is not None:
            keys += _read_key_file(key_file)
        keyring = cls(keys, key_file=key_file)
        if keyring.has_key and len(keyring._keys[0]) < _WEAK_BELOW_CHARACTERS:
            logger.warning(
                "the master key has fewer than %d characters; make a new one with `liberty-admin crypto genkey` and "
                "keep this one in LIBERTY_MASTER_KEY_OLD",
                _WEAK_BELOW_CHARACTERS,
            )
        return keyring

    @property
    def has_key(self) -> bool:
        """Whether anything can be decrypted."""
        return bool(self._keys)

    def encrypt(self, text: str, *, bound_to: str = "") -> str:
        """The `ENC:` form of `text`; a text that already has it is returned unchanged.

        `bound_to` names the place the value belongs to (`connectors.crm.auth_token`): moved elsewhere, it no longer
        decrypts. Raises Invalid when there is no key and none may be made.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if text.startswith(PREFIX):
            return text
        redactor.register(text)
        salt, iv = os.urandom(_SALT_BYTES), os.urandom(_IV_BYTES)
        sealed = AESGCM(self._derived(self._encryption_key(), salt)).encrypt(
            iv, text.encode(), bound_to.encode()
        )
        ciphertext, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        return PREFIX + base64.b64encode(salt + iv + tag + ciphertext).decode()

    def decrypt(self, value: str, *, bound_to: str = "") -> str:
        """The clear text, which the redactor hides from now on; a value without `ENC:` is returned as it is.

        A value that was bound to no place is accepted in every place. Raises Invalid when no key fits.
        """
        if not value.startswith(PREFIX):
            return value
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not self._keys:
            raise Invalid(
                "an ENC: value needs a key: set LIBERTY_MASTER_KEY to the one it was encrypted with"
            )
        sealed = _decode(value.removeprefix(PREFIX))
        salt, rest = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:]
        iv, tag, ciphertext = (
            rest[:_IV_BYTES],
            rest[_IV_BYTES : _IV_BYTES + _TAG_BYTES],
            rest[_IV_BYTES + _TAG_BYTES :],
        )
        if len(tag) < _TAG_BYTES:
            raise Invalid(
                "an ENC: value is too short: it was cut, or it was not made by `liberty-admin crypto encrypt`"
            )
        for key in self._keys:
            cipher = AESGCM(self._derived(key, salt))
            for place in dict.fromkeys((bound_to, "")):
                try:
                    text = cipher.decrypt(iv, ciphertext + tag, place.encode()).decode()
                except (InvalidTag, UnicodeDecodeError):
                    continue
                redactor.register(text)
                return text
        raise Invalid(
            "an ENC: value fits none of the keys: it was encrypted with another key, for another place, or was "
            "changed; add the key it was made with to LIBERTY_MASTER_KEY_OLD"
        )

    def self_test(self) -> None:
        """Encrypt and decrypt a probe. Raises Internal when the stored form shows it or it does not come back."""
        if not self._keys:
            return
        probe = token_urlsafe(16)
        stored = self.encrypt(probe, bound_to="self-test")
        if (
            probe in stored
            or not stored.startswith(PREFIX)
            or self.decrypt(stored, bound_to="self-test") != probe
        ):
            raise Internal(
                "encryption does not work on this machine; secrets would not be safe, so nothing is started"
            )

    def _encryption_key(self) -> str:
        with self._making_key:
            if not self._keys:
                if self._key_file is None:
                    raise Invalid(
                        "no key to encrypt with: set LIBERTY_MASTER_KEY (`liberty-admin crypto genkey` makes one)"
                    )
                self._keys = _make_key_file(self._key_file)
                redactor.register(self._keys[0])
            return self._keys[0]


def generate_key() -> str:
    """A new random master key: 256 bits."""
    return token_urlsafe(_KEY_BYTES)


def _derive(key: str, salt: bytes) -> bytes:
    # The very octets of an environment variable, also where they are no UTF-8.
    octets = key.encode("utf-8", "surrogateescape")
    return hashlib.pbkdf2_hmac("sha512", octets, salt, _PBKDF2_ROUNDS, _KEY_BYTES)


def _decode(text: str) -> bytes:
    """Forgiving base64, as the published format asks: line breaks, the URL alphabet and lost padding are accepted."""
    digits = _NOT_BASE64.sub("", text.replace("-", "+").replace("_", "/"))
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


def _from_variable(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    file = environ.get(f"{name}_FILE")
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{name}_FILE names {file!r}, which cannot be read: {error}") from error


def _read_key_file(path: Path) -> tuple[str, ...]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise Invalid(
            f"the key file {path} cannot be read, or is a symbolic link: {error.strerror}"
        ) from error
    with os.fdopen(descriptor, encoding="utf-8") as stream:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077:
            raise Invalid(f"the key file {path} may be read by others than its owner: run `chmod 600 {path}`")
        if facts.st_uid not in {os.geteuid(), 0}:
            raise Invalid(
                f"the key file {path} belongs to another user: make it yours, or set LIBERTY_MASTER_KEY"
            )
        keys = tuple(key for line in stream if (key := line.strip()) and not key.startswith("#"))
    if not keys:
        raise Invalid(f"the key file {path} holds no key: restore it, or delete it to have a new one made")
    return keys


def _make_key_file(path: Path) -> tuple[str, ...]:
    """Linked into place complete, so that of two processes one makes the key and both use it."""
    temporary = path.with_name(f".{path.name}.{token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(f"{generate_key()}\n")
                stream.flush()
                os.fsync(descriptor)
            path.hardlink_to(temporary)
            logger.info(
                "made the key file %s: keep a copy of it, encrypted values cannot be read without it", path
            )
        except FileExistsError:
            logger.debug("another process made the key file %s first", path)
        finally:
            temporary.unlink()
    except OSError as error:
        raise Unavailable(
            f"cannot make the key file {path}: {error.strerror}; set LIBERTY_MASTER_KEY instead"
        ) from error
    return _read_key_file(path)
