"""`liberty-admin token …`: API tokens for machines, on the database itself."""

from typing import TYPE_CHECKING, Any

from liberty.cli import exits
from liberty.cli.accounts import me, with_accounts
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.exits import UsageError
from liberty.cli.terminal import Cell, Terminal, print_json, short_time
from liberty.cli.values import duration
from liberty.clock import rfc3339
from liberty.errors import Invalid

if TYPE_CHECKING:
    from liberty.auth.tokens import ApiToken
    from liberty.auth.users import User


def create(arguments: Arguments) -> int:
    """Make a token and print it, once."""
    if not arguments.permission:
        raise UsageError("name at least one --permission; --permission '*' gives all that its owner may do")
    life = duration(arguments.expires)
    owner = arguments.user or _only_superuser(with_accounts(lambda accounts: accounts.list_users()))
    token, value = with_accounts(
        lambda accounts: accounts.tokens.create_api_token(
            owner, arguments.name, permissions=arguments.permission, expires_in=life, actor=me()
        )
    )
    if arguments.json:
        print_json({**_document(token), "token": value})
        return exits.OK
    terminal = Terminal()
    terminal.say(f"token {token.id} acts as {token.owner} until {short_time(rfc3339(token.expires_at))}")
    terminal.say(Cell(value, "bold"), "  (shown only now)")
    return exits.OK


def _only_superuser(users: "list[User]") -> str:
    """The one user who may do everything. Raises Invalid when there are none or several."""
    rulers = [user.name for user in users if user.superuser and user.active]
    if len(rulers) == 1:
        return rulers[0]
    reason = f"{', '.join(rulers)} are superusers" if rulers else "there is no superuser yet"
    raise Invalid(f"say with --user as whom the token acts: {reason}")


def list_tokens(arguments: Arguments) -> int:
    """Print every API token, without its secret."""
    tokens = with_accounts(lambda accounts: accounts.tokens.list_api_tokens(arguments.user))
    if arguments.json:
        print_json([_document(token) for token in tokens])
        return exits.OK
    terminal = Terminal()
    if not tokens:
        terminal.say("There is no API token.")
        return exits.OK
    rows: list[list[str | Cell]] = [
        [
            str(token.id),
            Cell(token.name, "dim" if token.revoked_at else ""),
            token.owner,
            "revoked" if token.revoked_at else short_time(rfc3339(token.expires_at)),
            short_time(rfc3339(token.last_used_at) if token.last_used_at else None),
            ", ".join(token.permissions) if token.permissions is not None else "*",
        ]
        for token in tokens
    ]
    terminal.table(["ID", "NAME", "ACTS AS", "EXPIRES", "LAST USED", "PERMISSIONS"], rows)
    return exits.OK


def revoke(arguments: Arguments) -> int:
    """End a token. A running server notices within seconds."""
    with_accounts(lambda accounts: accounts.tokens.revoke_api_token(arguments.id, actor=me()))
    if arguments.json:
        print_json({"id": arguments.id, "revoked": True})
    else:
        Terminal().say(f"token {arguments.id} is revoked")
    return exits.OK


def _document(token: "ApiToken") -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner,
        "prefix": token.prefix,
        "permissions": None if token.permissions is None else list(token.permissions),
        "created_by": token.created_by,
        "created_at": rfc3339(token.created_at),
        "expires_at": rfc3339(token.expires_at),
        "last_used_at": rfc3339(token.last_used_at) if token.last_used_at else None,
        "revoked_at": rfc3339(token.revoked_at) if token.revoked_at else None,
    }


def _configure_create(parser: Parser) -> None:
    parser.add_argument("--name", required=True, metavar="N", help="what the token is for")
    parser.add_argument(
        "--permission",
        action="append",
        default=[],
        metavar="P",
        help="such as job:nightly:run; may be repeated",
    )
    parser.add_argument("--expires", default="90d", metavar="SPAN", help="its life, such as 12h (90d)")
    parser.add_argument(
        "--user", metavar="NAME", help="as whom it acts; the superuser when there is only one"
    )


def _configure_list(parser: Parser) -> None:
    parser.add_argument("--user", metavar="NAME", help="only tokens that act as this user")


def _configure_revoke(parser: Parser) -> None:
    parser.add_argument("id", type=int, metavar="ID", help="as `token list` shows it")


VERB: dict[str, Command] = {
    "create": Command("make a token", create, _configure_create),
    "list": Command("list the tokens", list_tokens, _configure_list),
    "revoke": Command("end a token", revoke, _configure_revoke),
}
