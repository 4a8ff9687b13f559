"""`liberty-admin user …`: users and their passwords, on the database itself."""

import sys
from typing import TYPE_CHECKING, Any

from liberty.cli import exits
from liberty.cli.accounts import me, with_accounts
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.terminal import Cell, Terminal, print_json, short_time
from liberty.clock import rfc3339

if TYPE_CHECKING:
    from liberty.auth.users import User


def add(arguments: Arguments) -> int:
    """Add a user and print the password if it was made up."""
    password = _given_password(arguments)
    made = with_accounts(
        lambda accounts: accounts.create_user(
            arguments.name,
            password,
            roles=arguments.role,
            permissions=arguments.permission,
            superuser=arguments.superuser,
            actor=me(),
        )
    )
    if arguments.json:
        print_json({**_document(made.user), "password": made.password})
    else:
        terminal = Terminal()
        terminal.say(f"user {made.user.name} is added")
        _show_password(terminal, made.password)
    return exits.OK


def passwd(arguments: Arguments) -> int:
    """Give a user another password; whoever is signed in as them must sign in again."""
    password = _given_password(arguments)
    generated = with_accounts(lambda accounts: accounts.set_password(arguments.name, password, actor=me()))
    if arguments.json:
        print_json({"name": arguments.name, "password": generated})
    else:
        terminal = Terminal()
        terminal.say(f"user {arguments.name} has a new password")
        _show_password(terminal, generated)
    return exits.OK


def list_users(arguments: Arguments) -> int:
    """Print every user."""
    users = with_accounts(lambda accounts: accounts.list_users())
    if arguments.json:
        print_json([_document(user) for user in users])
        return exits.OK
    terminal = Terminal()
    if not users:
        terminal.say("There is no user yet; the first start of the server makes the administrator.")
        return exits.OK
    rows = [
        [
            Cell(user.name, "" if user.active else "dim"),
            "yes" if user.active else "no",
            "superuser" if user.superuser else ", ".join(user.roles) or "-",
            ", ".join(user.permissions) or "-",
            short_time(rfc3339(user.last_sign_in_at) if user.last_sign_in_at else None),
        ]
        for user in users
    ]
    terminal.table(["USER", "ACTIVE", "ROLES", "PERMISSIONS", "LAST SIGN-IN"], rows)
    return exits.OK


def _given_password(arguments: Arguments) -> str | None:
    return sys.stdin.readline().rstrip("\r\n") if arguments.password_stdin else None


def _show_password(terminal: Terminal, password: str | None) -> None:
    if password is not None:
        terminal.say("password: ", Cell(password, "bold"), "  (shown only now)")


def _document(user: "User") -> dict[str, Any]:
    return {
        "name": user.name,
        "active": user.active,
        "superuser": user.superuser,
        "provider": user.provider,
        "roles": list(user.roles),
        "permissions": list(user.permissions),
        "created_at": rfc3339(user.created_at),
        "last_sign_in_at": rfc3339(user.last_sign_in_at) if user.last_sign_in_at else None,
    }


def _configure_password(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the user")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; else one is made up",
    )


def _configure_add(parser: Parser) -> None:
    _configure_password(parser)
    parser.add_argument("--role", action="append", default=[], metavar="R", help="a role; may be repeated")
    parser.add_argument(
        "--permission", action="append", default=[], metavar="P", help="such as job:nightly; may be repeated"
    )
    parser.add_argument("--superuser", action="store_true", help="may do everything")


VERB: dict[str, Command] = {
    "add": Command("add a user", add, _configure_add),
    "passwd": Command("give a user another password", passwd, _configure_password),
    "list": Command("list the users", list_users),
}
