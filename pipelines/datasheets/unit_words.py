"""The vocabulary of `units.py`: prefixes, bases, and how vendors spell them."""

from typing import Final

PREFIXES: Final = {"f": -15, "p": -12, "n": -9, "µ": -6, "u": -6, "m": -3, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}

# Base as printed → (SI symbol, pint name or None for what pint does not know, takes prefixes).
BASES: Final[dict[str, tuple[str, str | None, bool]]] = {
    "V": ("V", "volt", True),
    "A": ("A", "ampere", True),
    "W": ("W", "watt", True),
    "VA": ("VA", "watt", True),
    "Ω": ("Ω", "ohm", True),
    "F": ("F", "farad", True),
    "H": ("H", "henry", True),
    "Hz": ("Hz", "hertz", True),
    "S": ("S", "siemens", True),
    "s": ("s", "second", True),
    "C": ("C", "coulomb", True),
    "J": ("J", "joule", True),
    "T": ("T", "tesla", True),
    "Wb": ("Wb", "weber", True),
    "N": ("N", "newton", True),
    "Pa": ("Pa", "pascal", True),
    "bar": ("Pa", "bar", True),
    "m": ("m", "meter", True),
    "g": ("kg", "gram", True),
    "lm": ("lm", "lumen", True),
    "cd": ("cd", "candela", True),
    "lx": ("lx", "lux", True),
    "sr": ("sr", "steradian", True),
    "rad": ("rad", "radian", True),
    "eV": ("J", "electron_volt", True),
    "bps": ("bit/s", None, True),
    "K": ("K", "kelvin", False),
    "°C": ("°C", "kelvin", False),
    "°F": ("°F", None, False),
    "°": ("°", "degree", False),
    "h": ("s", "hour", False),
    "min": ("s", "minute", False),
    "yr": ("s", "year", False),
    "d": ("s", "day", False),
    "in": ("m", "inch", False),
    "mil": ("m", "thou", False),
    "oz": ("kg", "ounce", False),
    "lbf": ("N", "force_pound", False),
    "kgf": ("N", "force_kilogram", False),
    "%": ("%", None, False),
    "ppm": ("ppm", None, False),
    "ppb": ("ppb", None, False),
    "dB": ("dB", None, False),
    "dBm": ("dBm", None, False),
    "dBc": ("dBc", None, False),
    "dBV": ("dBV", None, False),
    "dec": ("decade", None, False),
    "oct": ("octave", None, False),
    "bit": ("bit", None, False),
    "LSB": ("LSB", None, False),
    "cycle": ("cycle", None, False),
}

SPELLED: Final = {
    "volt": "V", "volts": "V", "v": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A", "a": "A",
    "watt": "W", "watts": "W", "w": "W", "ohm": "Ω", "ohms": "Ω", "farad": "F", "farads": "F", "f": "F",
    "henry": "H", "henries": "H", "hz": "Hz", "hertz": "Hz", "mho": "S", "mhos": "S", "siemens": "S", "℧": "S",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "coulomb": "C", "coulombs": "C", "joule": "J",
    "joules": "J", "kelvin": "K", "deg": "°", "degree": "°", "degrees": "°", "hr": "h", "hrs": "h", "hour": "h",
    "hours": "h", "year": "yr", "years": "yr", "yrs": "yr", "day": "d", "days": "d", "inch": "in", "inches": "in",
    "mils": "mil", "percent": "%", "db": "dB", "dbm": "dBm", "dbc": "dBc", "decade": "dec", "octave": "oct",
    "bits": "bit", "lsb": "LSB", "cycles": "cycle", "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "meter": "m", "metre": "m", "gram": "g", "grams": "g", "gm": "g", "ppm": "ppm", "bps": "bps",
    "°k": "K",     "伏": "V", "安": "A", "欧": "Ω", "瓦": "W", "度": "°", "秒": "s",
}  # fmt: skip

SPELLED_PREFIXES: Final = {"micro": "µ", "milli": "m", "kilo": "k", "mega": "M", "nano": "n", "pico": "p"}
SHOUTED: Final = {"UA": "µA", "UV": "µV", "UF": "µF", "US": "µs", "UW": "µW", "UH": "µH", "UC": "µC", "UJ": "µJ",
                   "NA": "nA", "NV": "nV", "NF": "nF", "NS": "ns", "NC": "nC", "NH": "nH", "NW": "nW",
                   "PF": "pF", "PA": "pA", "PS": "ps", "PC": "pC", "KHZ": "kHz", "KV": "kV", "KW": "kW", "KA": "kA",
                   "MHZ": "MHz", "GHZ": "GHz", "VDC": "V", "VAC": "V", "ADC": "A", "MM": "mm"}  # fmt: skip
SHOUTS: Final = frozenset({"MA", "MV", "MW", "MS", "MF", "MH", "MC", "MJ", "mhz", "mHz", "mhZ"})
"""Nobody can know whether these are mega or milli: a sheet typed in capitals says MA for mA."""
