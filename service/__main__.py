"""`python -m service` serves; `cognomen` does the rest."""

import sys

from service.house import HouseBroken
from service.server import serve
from service.settings import SettingsInvalid, read_settings


def main() -> int:
    """Serve until told to stop; 2 with one line on stderr when the house or a setting is wrong."""
    try:
        serve(read_settings())
    except (HouseBroken, SettingsInvalid) as error:
        sys.stderr.write(f"cognomen: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
