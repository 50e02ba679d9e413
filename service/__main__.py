"""`python -m service` serves; `cognomen` does the rest."""

import sys

from service.house import HouseBroken
from service.server import CannotListen, serve
from service.settings import SettingsInvalid, read_settings


def main() -> int:
    """Serve until told to stop; one line and 2 if the house or a setting is wrong, 1 if it cannot listen."""
    try:
        serve(read_settings())
    except (HouseBroken, SettingsInvalid) as error:
        sys.stderr.write(f"cognomen: {error}\n")
        return 2
    except CannotListen as error:
        sys.stderr.write(f"cognomen: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
