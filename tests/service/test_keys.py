"""Keys: made once, kept hashed, revoked at once; by hand and over HTTP."""

import stat
import time

import pytest
from typer.testing import CliRunner

from service.cli.main import app as cli
from service.keys import Caller, KeyStore, KeysUnavailable, KeyUnknown, Scope
from service.server import serve as listen
from service.settings import Settings, SettingsInvalid

RUN = CliRunner()


@pytest.fixture
def keys(tmp_path):
    store = KeyStore(tmp_path)
    yield store
    store.close()


def test_a_key_is_known_again_and_nothing_else_is(keys):
    key, token = keys.create(name="gateway", scopes=[Scope.READ])
    assert keys.verify(token) == key
    assert token.startswith(f"cgn_{key.id}_")
    _, other = keys.create(name="other", scopes=[Scope.READ])
    swapped = f"cgn_{key.id}_{other.rsplit('_', 1)[-1]:_<43}"[: len(token)]
    for wrong in ("", "x", token[:-1], token + "x", token.upper(), swapped, token.replace(key.id, "0" * 12)):
        assert keys.verify(wrong) is None


def test_nothing_is_written_before_the_first_key(tmp_path):
    store = KeyStore(tmp_path / "data")
    assert store.all() == []
    assert store.verify("cgn_0123456789ab_" + "x" * 43) is None
    with pytest.raises(KeyUnknown):
        store.revoke("0123456789ab")
    store.close()
    assert not (tmp_path / "data").exists()


def test_what_rests_on_disk_holds_no_key(keys, tmp_path):
    _, token = keys.create(name="gateway", scopes=[Scope.READ])
    secret = token.split("_", 2)[2].encode()
    for file in tmp_path.iterdir():
        assert secret not in file.read_bytes()
    assert stat.S_IMODE((tmp_path / "keys.secret").stat().st_mode) == 0o600


def test_another_process_revokes_at_once(keys, tmp_path):
    key, token = keys.create(name="gateway", scopes=[Scope.READ])
    assert keys.verify(token)
    KeyStore(tmp_path).revoke(key.id)
    assert keys.verify(token) is None
    assert keys.all() == []
    assert [k.id for k in keys.all(revoked=True)] == [key.id]
    with pytest.raises(KeyUnknown):
        keys.revoke(key.id)


def test_a_key_made_elsewhere_works_at_once(keys, tmp_path):
    keys.create(name="first", scopes=[Scope.READ])
    assert keys.verify("cgn_0123456789ab_" + "x" * 43) is None
    _, token = KeyStore(tmp_path).create(name="second", scopes=[Scope.WRITE])
    assert keys.verify(token).name == "second"


def test_rotation_may_leave_the_former_secret_a_while(keys, monkeypatch):
    key, first = keys.create(name="gateway", scopes=[Scope.READ])
    _, second = keys.rotate(key.id, grace_s=60)
    assert keys.verify(first) == keys.verify(second) == key
    _, third = keys.rotate(key.id)
    assert keys.verify(first) is None
    assert keys.verify(second) is None
    assert keys.verify(third)
    _, _fourth = keys.rotate(key.id, grace_s=60)
    now = time.time()
    monkeypatch.setattr("service.keys.time.time", lambda: now + 61)
    assert keys.verify(third) is None


def test_revoking_ends_the_grace_too(keys):
    key, first = keys.create(name="gateway", scopes=[Scope.READ])
    keys.rotate(key.id, grace_s=600)
    keys.revoke(key.id)
    assert keys.verify(first) is None


def test_last_use_is_noted_now_and_then(keys):
    key, token = keys.create(name="gateway", scopes=[Scope.READ])
    assert keys.get(key.id).last_used_at is None
    keys.verify(token)
    keys.note_use()
    assert keys.get(key.id).last_used_at == pytest.approx(time.time(), abs=60)
    assert keys.verify(token)


def test_a_file_that_cannot_be_read_lets_nobody_in(keys, tmp_path):
    _, token = keys.create(name="gateway", scopes=[Scope.READ])
    (tmp_path / "keys.sqlite").write_bytes(b"no database at all, but as long as one" * 100)
    fresh = KeyStore(tmp_path)
    with pytest.raises(KeysUnavailable):
        fresh.verify(token)


def test_a_secret_from_elsewhere_is_used_and_never_made(tmp_path):
    store = KeyStore(tmp_path, secret_file=tmp_path / "mounted")
    with pytest.raises(KeysUnavailable):
        store.create(name="x", scopes=[Scope.READ])
    (tmp_path / "mounted").write_text("a secret from a vault\n")
    _, token = store.create(name="x", scopes=[Scope.READ])
    assert store.verify(token)
    (tmp_path / "mounted").write_text("quite another secret\n")
    assert KeyStore(tmp_path, secret_file=tmp_path / "mounted").verify(token) is None


def test_each_scope_includes_the_ones_before():
    writer = Caller("1", "w", (Scope.WRITE,))
    assert [writer.may(scope) for scope in Scope] == [True, True, False]
    assert not Caller("1", "nobody", ()).may(Scope.READ)


def test_prefixes_bound_what_is_seen():
    bound = Caller("1", "acme", (Scope.ADMIN,), ("acme-",))
    assert bound.sees("acme-jobs")
    assert not bound.sees("other")
    assert Caller("1", "all", (Scope.READ,)).sees("other")
    assert bound.sees_of(Caller("2", "x", (), ("acme-x",)))
    assert not bound.sees_of(Caller("2", "x", (), ("acme-x", "b")))
    assert not bound.sees_of(Caller("2", "x", ()))


# -- the command line ------------------------------------------------------------------------------


def run(*words, data):
    return RUN.invoke(cli, ["keys", *words, "--data", str(data)], env={"COLUMNS": "200"})


def test_the_command_line_makes_lists_rotates_and_revokes(tmp_path):
    made = run(
        "create", "--name", "gateway", "--scope", "read", "--prefix", "acme-", "--rate", "5/second", data=tmp_path
    )
    assert made.exit_code == 0
    token = made.stdout.strip()
    key = KeyStore(tmp_path).verify(token)
    assert (key.name, key.scopes, key.prefixes, key.rate) == ("gateway", (Scope.READ,), ("acme-",), "5/second")
    listed = run("list", data=tmp_path).stdout
    assert "gateway" in listed
    assert key.id in listed
    assert token not in listed
    rotated = run("rotate", key.id, data=tmp_path).stdout.strip()
    assert KeyStore(tmp_path).verify(token) is None
    assert KeyStore(tmp_path).verify(rotated)
    assert run("revoke", key.id, data=tmp_path).exit_code == 0
    assert KeyStore(tmp_path).verify(rotated) is None
    assert "gateway" in run("list", "--all", data=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("revoke", "0123456789ab"), "no key of that id"),
        (("rotate", "0123456789ab"), "no key of that id"),
        (("create", "--name", "x", "--scope", "read", "--rate", "often"), "600/minute"),
        (("create", "--name", " ", "--scope", "read"), "empty"),
    ],
)
def test_the_command_line_complains_in_one_line(tmp_path, words, says):
    done = run(*words, data=tmp_path)
    assert done.exit_code == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


# -- listening -------------------------------------------------------------------------------------


def test_beyond_loopback_nothing_starts_without_keys(tmp_path):
    with pytest.raises(SettingsInvalid, match=r"COGNOMEN_HOST.*cognomen keys create"):
        listen(Settings(host="0.0.0.0", data=tmp_path))


def test_beyond_loopback_a_revoked_key_is_none(tmp_path):
    store = KeyStore(tmp_path)
    key, _ = store.create(name="gateway", scopes=[Scope.READ])
    store.revoke(key.id)
    with pytest.raises(SettingsInvalid, match="COGNOMEN_HOST"):
        listen(Settings(host="0.0.0.0", data=tmp_path))
