"""The operator's file: which pipelines are hosted, over which terminologies (`deploy/pipelines.toml`)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines import registry
from service.settings import SettingsInvalid


class Hosting(BaseModel):
    """What a pipeline's table may say.

    Attributes:
        hosted: false takes it off.
        terminology: which one answers when a request names none; None takes the starter's, else the first by name.
        terminologies: the ones to host; None hosts every one built.
        collections: of retrieval, the ones to host; None hosts every one built.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosted: bool = True
    terminology: str | None = None
    terminologies: list[str] | None = None
    collections: list[str] | None = None

    def hosts(self, terminology: str) -> bool:
        """Whether a build over that terminology is served."""
        return self.hosted and (self.terminologies is None or terminology in self.terminologies)

    def hosts_collection(self, collection: str) -> bool:
        """Whether a collection is served."""
        return self.hosted and (self.collections is None or collection in self.collections)


def read_hosting(path: Path) -> dict[str, Hosting]:
    """Pipeline slug → its table. A file that is not there hosts everything.

    Raises: SettingsInvalid in one line, for a file that is no TOML, an unknown pipeline or option, or a default that is
        not among the terminologies to host.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"{path.name} cannot be read: {type(error).__name__}: {error}") from error
    known = {spec.slug: spec for spec in registry.specs().values()}
    hosting = {}
    for name, table in content.items():
        slug = name.replace("_", "-")
        if slug not in known or not isinstance(table, Mapping):
            raise SettingsInvalid(f"{path.name}: [{name}] is no pipeline; there are: {', '.join(known)}")
        try:
            hosting[slug] = Hosting(**table)
        except ValidationError as error:
            first = error.errors()[0]
            option = ".".join(map(str, first["loc"]))
            raise SettingsInvalid(f"{path.name}: [{name}] {option}: {first['msg']}") from error
        chosen = hosting[slug]
        if chosen.terminology is not None and not chosen.hosts(chosen.terminology):
            raise SettingsInvalid(f"{path.name}: [{name}] terminology is not among those hosted")
    return hosting
