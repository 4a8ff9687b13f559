"""`liberty-admin notify …`: channels, a test message, incidents, and what became of each message."""

from liberty.cli import exits
from liberty.cli.backend import backend
from liberty.cli.command import Arguments, Command, Parser
from liberty.cli.job.render import problem_text
from liberty.cli.terminal import Cell, Terminal, print_json, short_time


def channels(arguments: Arguments) -> int:
    """Print every channel and how its last message fared."""
    with backend(arguments) as jobs:
        found = jobs.channels()
    terminal = Terminal()
    if arguments.json:
        print_json(found)
        return exits.OK
    if not found["items"]:
        terminal.say("There is no channel yet: write one into notifications.toml.")
    else:
        rows = [
            [
                channel["name"],
                channel["type"],
                channel["state"] if channel["enabled"] else "off",
                short_time(channel["last"]["tried_at"]) if channel["last"] else "-",
                (channel["last"]["answer"] or "-") if channel["last"] else "-",
            ]
            for channel in found["items"]
        ]
        terminal.table(["CHANNEL", "TYPE", "STATE", "LAST", "ANSWER"], rows)
    for problem in found["problems"]:
        terminal.say(Cell(problem_text(problem), "red"))
    return exits.OK


def test(arguments: Arguments) -> int:
    """Send a test message and print the answer."""
    with backend(arguments) as jobs:
        found = jobs.test_channel(arguments.channel, arguments.to)
    if arguments.json:
        print_json(found)
    elif found["ok"]:
        Terminal().say(f"{found['channel']} has taken the message: {found['answer']}")
    else:
        Terminal().say(Cell(f"{found['channel']} did not take the message: {found['answer']}", "red"))
    return exits.OK if found["ok"] else exits.RUN_FAILED


def incidents(arguments: Arguments) -> int:
    """Print the newest incidents."""
    with backend(arguments) as jobs:
        state = None if arguments.all else "open"
        found = jobs.incidents(state=state, job=arguments.job, limit=arguments.limit)
    if arguments.json:
        print_json(found)
        return exits.OK
    rows = [
        [
            str(one["id"]),
            one["state"],
            one["text"],
            str(one["count"]),
            short_time(one["opened_at"]),
            one["acknowledged_by"] or "-",
        ]
        for one in found
    ]
    if rows:
        Terminal().table(["ID", "STATE", "WHAT", "COUNT", "SINCE", "ACKNOWLEDGED"], rows)
    else:
        Terminal().say("There is no incident." if arguments.all else "There is no open incident.")
    return exits.OK


def deliveries(arguments: Arguments) -> int:
    """Print the newest messages with their answers."""
    with backend(arguments) as jobs:
        found = jobs.deliveries(state=arguments.state, channel=arguments.channel, limit=arguments.limit)
    if arguments.json:
        print_json(found)
        return exits.OK
    rows = [
        [
            short_time(one["created_at"]),
            one["channel"],
            one["event"],
            one["job"] or "-",
            one["state"],
            str(one["attempts"]),
            one["answer"] or "-",
        ]
        for one in found
    ]
    if rows:
        Terminal().table(["MADE", "CHANNEL", "EVENT", "JOB", "STATE", "TRIES", "ANSWER"], rows)
    else:
        Terminal().say("There is no message.")
    return exits.OK


def _configure_test(parser: Parser) -> None:
    parser.add_argument("channel", metavar="CHANNEL", help="its name in notifications.toml")
    parser.add_argument("--to", metavar="ADDRESS", help="instead of the channel's own, such as '#ops'")


def _configure_limit(parser: Parser) -> None:
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many at most (20)")


def _configure_incidents(parser: Parser) -> None:
    parser.add_argument("--all", action="store_true", help="also those that are over")
    parser.add_argument("--job", metavar="NAME", help="only those of this job")
    _configure_limit(parser)


def _configure_deliveries(parser: Parser) -> None:
    parser.add_argument("--state", choices=["waiting", "sent", "dead"], help="only those in this state")
    parser.add_argument("--channel", metavar="CHANNEL", help="only those of this channel")
    _configure_limit(parser)


VERB: dict[str, Command] = {
    "list": Command("show the channels and how their last message fared", channels, reaches_jobs=True),
    "test": Command(
        "send a test message through a channel; exit code 1 when it is not taken",
        test,
        _configure_test,
        reaches_jobs=True,
    ),
    "incidents": Command("list open incidents", incidents, _configure_incidents, reaches_jobs=True),
    "deliveries": Command(
        "list messages with the answer each got", deliveries, _configure_deliveries, reaches_jobs=True
    ),
}
