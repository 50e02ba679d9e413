"""API keys on the machine itself: the first one is made here."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.console import out, say, settings
from service.keys import Key, KeyStore, Scope
from service.rates import parse_rate
from service.settings import SettingsInvalid

keys = typer.Typer(help="API keys: make, list, rotate, revoke.", no_args_is_help=True)
commands = typer.Typer()
commands.add_typer(keys, name="keys")

Data = Annotated[Path | None, typer.Option("--data", help="Where keys rest (COGNOMEN_DATA).")]
KeyId = Annotated[str, typer.Argument(help="The id that `cognomen keys list` shows.", show_default=False)]


def store_of(data: Path | None) -> KeyStore:
    """The keys a command works on."""
    chosen = settings()
    return KeyStore(data or chosen.data, secret_file=chosen.keys_secret_file)


@keys.command()
def create(
    name: Annotated[str, typer.Option("--name", "-n", help="Whose it is.")],
    scopes: Annotated[list[Scope], typer.Option("--scope", "-s", help="write includes read, admin both; repeatable.")],
    prefixes: Annotated[
        list[str] | None, typer.Option("--prefix", help="Sees only names that begin so; repeatable.")
    ] = None,
    rate: Annotated[str | None, typer.Option(help="600/minute; default: COGNOMEN_RATE_LIMIT.")] = None,
    data: Data = None,
) -> None:
    """Make a key and print it, this once. Only the key goes to stdout."""
    if rate is not None:
        _check_rate(rate)
    if not name.strip() or any(not prefix for prefix in prefixes or ()):
        raise SettingsInvalid("a name or prefix cannot be empty")
    key, token = store_of(data).create(
        name=name, scopes=sorted(set(scopes), key=lambda scope: scope.rank), prefixes=prefixes or (), rate=rate
    )
    typer.echo(f"{key.id} ({', '.join(key.scopes)}): shown this once, stored hashed", err=True)
    say(token)


@keys.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Revoked ones too.")] = False,
    data: Data = None,
) -> None:
    """Every live key, without its secret."""
    table = Table("id", "name", "scopes", "prefixes", "rate", "created", "last used", "revoked", title="API keys")
    for key in store_of(data).all(revoked=all_):
        table.add_row(*(escape(cell) for cell in _cells(key)))
    out.print(table)


@keys.command()
def revoke(key_id: KeyId, data: Data = None) -> None:
    """From the next request on the key opens nothing, also in a service that runs."""
    store_of(data).revoke(key_id)
    say(f"{key_id}: revoked")


@keys.command()
def rotate(
    key_id: KeyId,
    grace_s: Annotated[int, typer.Option(min=0, help="Seconds the former secret still works.")] = 0,
    data: Data = None,
) -> None:
    """Give a key a new secret and print it, this once."""
    _, token = store_of(data).rotate(key_id, grace_s=grace_s)
    say(token)


def _check_rate(rate: str) -> None:
    try:
        parse_rate(rate)
    except ValueError as error:
        raise SettingsInvalid(str(error)) from error


def _cells(key: Key) -> list[str]:
    return [
        key.id,
        key.name,
        ", ".join(key.scopes),
        ", ".join(key.prefixes) or "all",
        key.rate or "",
        *(_when(at) for at in (key.created_at, key.last_used_at, key.revoked_at)),
    ]


def _when(at: float | None) -> str:
    return "" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
