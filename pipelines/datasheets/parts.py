"""What part numbers and packages look like, and where letters and digits only look like one."""

import re
from typing import Final

PART: Final = re.compile(
    r"(?<![\w.])(?:[12]N\d{2,5}[A-Z]{0,3}\d{0,2}|[A-Z]{1,6}\d{2,6}[A-Z0-9]{0,6}|[A-Z]{2,6}-?\d{1,3}[A-Z]{0,3}\d{2,5}[A-Z]{0,3}"
    r"|(?!V)[A-Z]{4,6}\d[A-Z]{1,2}\d?|(?:1\.5|[A-Z]\d?)?[A-Z]{2,5}\d{1,3}\.\d[A-Z]{0,2})"
    r"(?:[-_/][A-Z0-9]{1,8})*(?![\w.])"
)
"""1N4148, BC547B, MMBT3904, LM358-N, IRF540N, 2SC1815-Y, J112, TL431, MMBFJ112_SB51338, SMBJ5.0A, P6KE6.8CA."""
PACKAGE: Final = re.compile(
    r"(?:TO|SOT|SOD|SOIC|SO|DO|DIP|PDIP|SOP|TSSOP|SSOP|MSOP|DFN|QFN|WSON|VSSOP|SMA|SMB|SMC|DPAK|D2PAK|D²PAK|I2PAK|LFPAK|MELF|"
    r"MiniMELF|SC|CDIP|LCC|LQFP|TSOT|UMT|EMT|MCP|POWERDI|PowerPAK|TDFN|UDFN|SON|BGA|WLCSP|CFP)"
    r"-?\d{0,4}[A-Z]{0,3}(?:-\d{1,2}[A-Z]{0,2})?",
    re.IGNORECASE,
)
_NEVER: Final = re.compile(
    r"(?:IEC|ISO|EN|UL|RS|MIL|JESD|AEC|JIS|ASTM|EIA|IPC|DIN|ANSI|FR|PCB|REV|RoHS|MSL|ESD|HBM|CDM|MM|FIG|TABLE|NOTE|PAGE|DS|DOC|"
    r"VIN|IEEE|USB|RJ|AN|TN|CH|CAT|SNVS|SLOS|SBOS|SLLS|SLVS|CD|PMS|PIN|US|UTC|Q|GPIO)-?\d.*|\d{1,3}/\d+|[A-Z]?\d{1,2}"
)


def looks_like_part(text: str) -> bool:
    """Whether the whole text is a part number."""
    text = text.strip(" *†(),.:;")
    return bool(PART.fullmatch(text)) and not looks_like_package(text) and not _NEVER.fullmatch(text)


def looks_like_package(text: str) -> bool:
    """Whether the whole text is the name of a package that has a number: TO-92, SOT23-3L."""
    text = text.strip(" *†(),.:;")
    return bool(PACKAGE.fullmatch(text)) and any(c.isdigit() for c in text)


def looks_like_variant(text: str) -> bool:
    """Whether a column header or a label in a cell tells variants apart: parts, their ranges, packages."""
    text = text.strip(" *†(),.:;")
    pieces = [p for p in re.split(r"\s*[/,;]\s*|\s+", text) if p]
    if not pieces or len(pieces) > 8:
        return False
    return all(looks_like_part(p) or looks_like_package(p) or _is_range(p) for p in pieces)


def _is_range(text: str) -> bool:
    """J111-113, 1N4001-7."""
    match = re.fullmatch(r"([A-Z0-9]+?\d{2,5}[A-Z]?)\s*(?:-|–|~|thru)\s*\d{1,5}[A-Z]?", text.strip("*"))
    return bool(match and looks_like_part(match[1]))


def parts_in(text: str) -> list[str]:
    """The part numbers in a text, in order, each once."""
    found = [m[0] for m in PART.finditer(text)]
    return list(dict.fromkeys(p for p in found if looks_like_part(p)))
