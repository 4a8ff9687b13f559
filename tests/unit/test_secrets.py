"""Keys, `ENC:` values and the redactor."""

import base64
import hashlib
import json
import logging
import os
import stat
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from liberty.errors import Invalid
from liberty.secrets import MASK, Keyring, Redactor, generate_key, is_secret_name, redactor

KEY = "a key that is only for tests"


def published_form(text: str, key: str) -> str:
    """An `ENC:` value as another program makes it, from the published description alone."""
    salt, iv = os.urandom(64), os.urandom(16)
    derived = hashlib.pbkdf2_hmac("sha512", key.encode(), salt, 2145, 32)
    sealed = AESGCM(derived).encrypt(iv, text.encode(), None)
    return "ENC:" + base64.b64encode(salt + iv + sealed[-16:] + sealed[:-16]).decode()


def test_values_of_the_published_format_are_read() -> None:
    value = published_form("pâss wörd", KEY)
    assert Keyring([KEY]).decrypt(value) == "pâss wörd"
    folded = "ENC:" + "\n".join(value[4:][i : i + 60] for i in range(0, len(value) - 4, 60)).rstrip("=")
    assert Keyring([KEY]).decrypt(folded) == "pâss wörd"
    assert Keyring([KEY]).decrypt(value.replace("+", "-").replace("/", "_")) == "pâss wörd"


def test_values_made_here_have_the_published_format() -> None:
    value = Keyring([KEY]).encrypt("clear text")
    sealed = base64.b64decode(value.removeprefix("ENC:"))
    salt, iv, tag, ciphertext = sealed[:64], sealed[64:80], sealed[80:96], sealed[96:]
    derived = hashlib.pbkdf2_hmac("sha512", KEY.encode(), salt, 2145, 32)
    assert AESGCM(derived).decrypt(iv, ciphertext + tag, None) == b"clear text"


@settings(deadline=None)
@given(st.text(min_size=1).filter(lambda text: not text.startswith("ENC:")))
def test_what_was_encrypted_comes_back(text: str) -> None:
    keyring = Keyring([KEY])
    assert keyring.decrypt(keyring.encrypt(text.encode("utf-8", "replace").decode())) == text


def test_encrypting_twice_changes_nothing_and_equal_texts_look_different() -> None:
    keyring = Keyring([KEY])
    value = keyring.encrypt("one secret")
    assert keyring.encrypt(value) == value
    assert keyring.encrypt("one secret") != value


def test_a_text_that_is_not_encrypted_is_returned_as_it_is() -> None:
    assert Keyring().decrypt("plain") == "plain"


def test_the_first_key_encrypts_and_older_ones_still_decrypt() -> None:
    old_value = Keyring(["old-key"]).encrypt("kept over the rotation")
    rotated = Keyring([KEY, "old-key"])
    assert rotated.decrypt(old_value) == "kept over the rotation"
    assert Keyring([KEY]).decrypt(rotated.encrypt("new value")) == "new value"


def test_a_wrong_key_a_changed_value_and_a_cut_value_fail_closed() -> None:
    value = Keyring(["another key"]).encrypt("hidden")
    with pytest.raises(Invalid, match="none of the keys"):
        Keyring([KEY]).decrypt(value)
    changed = value[:120] + ("A" if value[120] != "A" else "B") + value[121:]
    with pytest.raises(Invalid, match="none of the keys"):
        Keyring(["another key"]).decrypt(changed)
    for cut in (value[:80], "ENC:", "ENC:%%%", "ENC:A"):
        with pytest.raises(Invalid, match="too short"):
            Keyring(["another key"]).decrypt(cut)
    with pytest.raises(Invalid, match="LIBERTY_MASTER_KEY"):
        Keyring().decrypt(value)


def test_a_value_bound_to_a_place_does_not_open_anywhere_else() -> None:
    keyring = Keyring([KEY])
    value = keyring.encrypt("for crm only", bound_to="connectors.crm.auth_token")
    assert keyring.decrypt(value, bound_to="connectors.crm.auth_token") == "for crm only"
    for place in ("connectors.evil.auth_token", ""):
        with pytest.raises(Invalid, match="another place"):
            keyring.decrypt(value, bound_to=place)
    assert keyring.decrypt(keyring.encrypt("anywhere"), bound_to="connectors.crm.auth_token") == "anywhere"


def test_keys_come_from_the_environment_in_order(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a mounted file\n")
    value = Keyring(["from a mounted file"]).encrypt("text")
    environ = {"LIBERTY_MASTER_KEY_FILE": str(tmp_path / "key"), "LIBERTY_MASTER_KEY_OLD": "older, oldest"}
    keyring = Keyring.from_environment(environ, None)
    assert keyring.decrypt(value) == "text"
    assert keyring.decrypt(Keyring(["oldest"]).encrypt("ancient")) == "ancient"
    assert Keyring(["from a mounted file"]).decrypt(keyring.encrypt("new")) == "new"


def test_without_any_key_the_first_encryption_makes_a_private_key_file(tmp_path: Path) -> None:
    keyring = Keyring.from_environment({}, tmp_path / "data")
    assert not keyring.has_key
    assert not (tmp_path / "data").exists()
    value = keyring.encrypt("text")
    file = tmp_path / "data" / "master.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["master.key"]
    assert Keyring.from_environment({}, tmp_path / "data").decrypt(value) == "text"
    moved_to_variable = Keyring.from_environment({"LIBERTY_MASTER_KEY": KEY}, tmp_path / "data")
    assert moved_to_variable.decrypt(value) == "text"


def test_processes_that_start_together_end_with_one_key(tmp_path: Path) -> None:
    keyrings = [Keyring.from_environment({}, tmp_path) for _ in range(4)]
    values: list[str] = []
    threads = [threading.Thread(target=lambda k=k: values.append(k.encrypt("text"))) for k in keyrings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    late = Keyring.from_environment({}, tmp_path)
    assert [late.decrypt(value) for value in values] == ["text"] * 4


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o640)
    with pytest.raises(Invalid, match="chmod 600"):
        Keyring.from_environment({}, tmp_path)
    file.chmod(0o600)
    assert Keyring.from_environment({}, tmp_path).has_key


def test_a_key_file_that_is_a_link_or_empty_is_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text(KEY)
    real.chmod(0o600)
    (tmp_path / "master.key").symlink_to(real)
    with pytest.raises(Invalid, match="symbolic link"):
        Keyring.from_environment({}, tmp_path)
    (tmp_path / "master.key").unlink()
    (tmp_path / "master.key").write_text("# nothing\n")
    (tmp_path / "master.key").chmod(0o600)
    with pytest.raises(Invalid, match="no key"):
        Keyring.from_environment({}, tmp_path)


def test_encrypting_without_a_key_and_without_a_folder_for_one_is_refused() -> None:
    with pytest.raises(Invalid, match="genkey"):
        Keyring().encrypt("text")


def test_the_self_test_passes_with_and_without_a_key() -> None:
    Keyring().self_test()
    Keyring([KEY]).self_test()


def test_a_short_key_is_used_but_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "liberty.secrets"):
        keyring = Keyring.from_environment({"LIBERTY_MASTER_KEY": "changeit"}, None)
        Keyring.from_environment({"LIBERTY_MASTER_KEY": generate_key()}, None)
    assert keyring.has_key
    assert len(caplog.records) == 1
    assert "changeit" not in caplog.text


def test_decrypted_and_encrypted_values_and_keys_are_hidden_from_then_on() -> None:
    keyring = Keyring(["the-key-of-this-test"])
    value = keyring.encrypt("unlikely-clear-text-1")
    assert redactor.redact("x unlikely-clear-text-1 the-key-of-this-test y") == f"x {MASK} {MASK} y"
    assert redactor.redact(value) == value
    Keyring([KEY]).decrypt(published_form("unlikely-clear-text-2", KEY))
    assert redactor.redact("unlikely-clear-text-2") == MASK


SECRET = 'p@ss/w"rd%+ é&\\x'


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote_plus(SECRET).replace("%2F", "%2f").replace("%40", "%40").lower(),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        repr(SECRET.encode())[2:-1],
    ],
)
def test_a_secret_is_hidden_in_every_spelling(shown: str) -> None:
    hides = Redactor()
    hides.register(SECRET)
    assert hides.redact(f"before {shown} after") == f"before {MASK} after"


@settings(deadline=None)
@given(st.text(min_size=6, max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_a_secret_inside_base64_is_hidden_wherever_it_stands(
    secret: str, before: bytes, after: bytes
) -> None:
    secret = secret.encode("utf-8", "replace").decode().strip()
    hides = Redactor()
    hides.register(secret)
    if len(secret) < 6:
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert MASK in hides.redact(encode(before + secret.encode() + after).decode())


def test_basic_authentication_is_hidden() -> None:
    hides = Redactor()
    hides.register("unlikely-password")
    header = base64.b64encode(b"alice:unlikely-password").decode()
    redacted = hides.redact(f"Authorization: Basic {header}")
    assert MASK in redacted
    assert b"password" not in base64.b64decode(redacted.rsplit(" ", 1)[1].split(MASK)[0] + "===")


@settings(deadline=None)
@given(st.lists(st.text(min_size=6, max_size=12), min_size=1, max_size=8), st.data())
def test_no_registered_secret_is_left_in_any_text(secrets: list[str], data: st.DataObject) -> None:
    hides = Redactor()
    for secret in secrets:
        hides.register(secret)
    kept = [s.strip() for s in secrets if len(s.strip()) >= 6]
    words = data.draw(st.lists(st.sampled_from(secrets) | st.text(max_size=5), max_size=10))
    redacted = hides.redact("|".join(words))
    for secret in kept:
        assert secret not in redacted or secret in MASK * 9


def test_the_longest_of_overlapping_secrets_is_hidden_whole() -> None:
    hides = Redactor()
    hides.register("secret-one")
    hides.register("secret-one-and-more")
    assert hides.redact("secret-one-and-more secret-one secret-one-and") == f"{MASK} {MASK} {MASK}-and"


def test_each_line_of_a_secret_of_several_lines_is_hidden() -> None:
    hides = Redactor()
    hides.register("first line of it\nshort\nsecond line of it\n")
    assert hides.redact("second line of it") == MASK
    assert hides.redact("short") == "short"


def test_a_short_secret_is_hidden_only_where_it_stands_alone() -> None:
    hides = Redactor()
    hides.register("abc")
    assert hides.redact("abc, xabc abcx (abc)") == f"{MASK}, xabc abcx ({MASK})"


@pytest.mark.parametrize("nothing", ["", " ", "x", "10", "\n"])
def test_what_is_too_short_to_be_a_secret_does_not_blank_the_log(nothing: str) -> None:
    hides = Redactor()
    hides.register(nothing)
    assert hides.redact("x 10 rows") == "x 10 rows"


def test_a_secret_that_is_no_utf8_is_hidden() -> None:
    hides = Redactor()
    hides.register("unlikely-\udcff")
    assert hides.redact("x unlikely-\udcff") == f"x {MASK}"


def test_a_very_long_secret_is_hidden() -> None:
    hides = Redactor()
    secret = "\n".join(f"{number:064x}" for number in range(300))
    hides.register(secret)
    assert hides.redact(f"key: {secret}!") == f"key: {MASK}!"


def test_json_is_searched_by_value_and_by_name() -> None:
    hides = Redactor()
    hides.register("hidden-value")
    value = {
        "rows": [1, 2.5, None, True, "a hidden-value"],
        "hidden-value": 1,
        "Api-Key": "k",
        "db_password": {"nested": 1},
        "access_token": 12345,
        "password_set": True,
        "cookie": None,
    }
    assert hides.redact_value(value) == {
        "rows": [1, 2.5, None, True, f"a {MASK}"],
        MASK: 1,
        "Api-Key": MASK,
        "db_password": MASK,
        "access_token": MASK,
        "password_set": True,
        "cookie": None,
    }
    assert value["db_password"] == {"nested": 1}


@pytest.mark.parametrize(
    ("name", "is_secret"), [("X-API-Key", True), ("apikey", True), ("passwd", True), ("path", False)]
)
def test_names_that_tell_of_a_secret(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


def test_secrets_may_be_registered_while_others_are_redacting() -> None:
    hides = Redactor()
    failures: list[str] = []

    def register_and_check(thread: int) -> None:
        for number in range(20):
            secret = f"secret-{thread}-{number:03}"
            hides.register(secret)
            if secret in hides.redact(f"x {secret} y"):
                failures.append(secret)

    threads = [threading.Thread(target=register_and_check, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
