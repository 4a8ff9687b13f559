"""`liberty-admin crypto …`: master keys and `ENC:` values."""

import getpass
import sys

from liberty.cli import exits
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import print_json, write
from liberty.errors import Invalid


def genkey(arguments: Arguments) -> int:
    """Print a new master key; nothing is written anywhere."""
    from liberty.secrets.keyring import generate_key

    return _print(arguments, "key", generate_key())


def encrypt(arguments: Arguments) -> int:
    """Print the ENC: form of a text. Without a key in the environment, one is made in the data folder."""
    from liberty.settings import ensure_data_dir, load_settings

    settings = load_settings()
    text = _text(arguments, "value to encrypt: ")
    if not text:
        raise Invalid("there is nothing to encrypt")
    keyring = settings.open_keyring()
    if not keyring.has_key:
        ensure_data_dir(settings)
    return _print(arguments, "value", keyring.encrypt(text))


def decrypt(arguments: Arguments) -> int:
    """Print the text of an ENC: value."""
    from liberty.secrets import PREFIX
    from liberty.settings import load_settings

    value = _text(arguments, "ENC: value: ").strip()
    if not value.startswith(PREFIX):
        raise Invalid(f"an encrypted value begins with {PREFIX}")
    return _print(arguments, "text", load_settings().open_keyring().decrypt(value))


def _text(arguments: Arguments, prompt: str) -> str:
    """The argument, else standard input without its last line end; a person is asked without echo."""
    if arguments.value is not None:
        return str(arguments.value)
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _print(arguments: Arguments, label: str, text: str) -> int:
    if arguments.json:
        print_json({label: text})
    else:
        write(text)
    return exits.OK


def _configure_value(parser: Parser) -> None:
    parser.add_argument(
        "value",
        metavar="VALUE",
        nargs="?",
        help="standard input when left out, which keeps it out of the shell's history",
    )


VERB: dict[str, Command] = {
    "genkey": Command("print a new master key", genkey),
    "encrypt": Command("print the ENC: form of a text", encrypt, _configure_value),
    "decrypt": Command("print the text of an ENC: value", decrypt, _configure_value),
}
