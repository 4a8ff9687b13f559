"""Reading SQL: which colons are binds, what kind a statement is, that it is only one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from liberty.connectors.sql_text import parse_statement
from liberty.errors import Invalid


def as_sent(sql: str) -> str:
    """The SQL that reaches SQLite, binds shown as `?`."""
    return str(text(parse_statement(sql).text).compile(dialect=sqlite.dialect()))


@pytest.mark.parametrize(
    ("sql", "binds", "sent"),
    [
        ("select :a", ("a",), "select ?"),
        ("select :a, :b, :a", ("a", "b"), "select ?, ?, ?"),
        ("select x::int, :day::date", ("day",), "select x::int, ? ::date"),
        ("select ':no', \":no\", `:no`", (), "select ':no', \":no\", `:no`"),
        ("select 'it''s :no' || :yes", ("yes",), "select 'it''s :no' || ?"),
        ("select 1 -- :no\n, :yes", ("yes",), "select 1 -- :no\n, ?"),
        ("select /* :no ; */ :yes", ("yes",), "select /* :no ; */ ?"),
        ("select $$ :no ; $$ || $t$ :no $$ $t$", (), "select $$ :no ; $$ || $t$ :no $$ $t$"),
        ("select E'\\':no' , :yes", ("yes",), "select E'\\':no' , ?"),
        ("select a[1:2], a[:2]", (), "select a[1:2], a[:2]"),
        (r"select 'C:\:dir \:x'", (), r"select 'C:\:dir \:x'"),
        ("select '12:30:00'", (), "select '12:30:00'"),
        ("select 1;", (), "select 1"),
        ("select 1; -- done", (), "select 1  -- done"),
    ],
)
def test_only_real_binds_are_binds(sql: str, binds: tuple[str, ...], sent: str) -> None:
    assert parse_statement(sql).binds == binds
    assert as_sent(sql) == sent


@given(st.text(alphabet=":\\ab1 _$;-/*?", max_size=20))
def test_a_literal_arrives_unchanged_whatever_stands_in_it(content: str) -> None:
    statement = parse_statement(f"select '{content}' where :x")
    assert statement.binds == ("x",)
    assert as_sent(f"select '{content}' where :x") == f"select '{content}' where ?"


@pytest.mark.parametrize(
    ("sql", "kind", "writes", "reads"),
    [
        ("select 1", "SELECT", False, True),
        ("  -- note\n(select 1)", "SELECT", False, True),
        ("WITH a AS (select 1) select * from a", "SELECT", False, True),
        (
            "with recursive a(n) as (select 1 union all select n from a) insert into t select n from a",
            "INSERT",
            True,
            False,
        ),
        ("with d as (delete from t returning *) select * from d", "SELECT", True, False),
        ("with a as (select 'delete') update t set x = 1", "UPDATE", True, False),
        ("select * into copy from t", "SELECT", True, False),
        ("select 'into'", "SELECT", False, True),
        ("merge into t using s on true when matched then delete", "MERGE", True, False),
        ("refresh materialized view v", "REFRESH", False, False),
        ("values (1)", "VALUES", False, True),
    ],
)
def test_kind_is_told_through_ctes_and_comments(sql: str, kind: str, writes: bool, reads: bool) -> None:
    statement = parse_statement(sql)
    assert (statement.kind, statement.writes, statement.reads) == (kind, writes, reads)


@pytest.mark.parametrize(
    "sql", ["select 1; delete from t", "begin; delete from t; commit", "select ';'; select 2"]
)
def test_a_second_statement_is_refused(sql: str) -> None:
    with pytest.raises(Invalid, match="more than one statement"):
        parse_statement(sql)


@pytest.mark.parametrize("sql", ["", "  ;", "-- nothing"])
def test_an_empty_statement_is_refused(sql: str) -> None:
    with pytest.raises(Invalid, match="empty"):
        parse_statement(sql)


def test_a_body_may_hold_semicolons() -> None:
    sql = "create trigger tr after insert on t begin update t set a = 1; update t set b = 2; end"
    assert parse_statement(sql).text == sql


@pytest.mark.parametrize(
    ("sql", "outside"),
    [
        ("vacuum", True),
        ("create index concurrently i on t(a)", True),
        ("create index i on t(a)", False),
        ("call tidy()", True),
        ("delete from vacuum", False),
    ],
)
def test_what_no_transaction_may_hold_is_known(sql: str, outside: bool) -> None:
    assert parse_statement(sql).outside_transaction is outside
