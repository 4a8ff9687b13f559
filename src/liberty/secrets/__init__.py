"""Secrets: encrypted values with their keys, and the redactor that keeps clear text out of everything shown."""

from liberty.secrets.keyring import KEY_FILE, PREFIX, Keyring, generate_key
from liberty.secrets.redactor import MASK, Redactor, is_secret_name, redactor

__all__ = ["KEY_FILE", "MASK", "PREFIX", "Keyring", "Redactor", "generate_key", "is_secret_name", "redactor"]
