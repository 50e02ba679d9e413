"""The words and symbols that tell kinds of devices apart, and the houses that make them."""

import re
from collections.abc import Mapping
from typing import Final


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


DEVICE_WORDS: Final[tuple[tuple[str, re.Pattern[str], float], ...]] = (
    ("optocoupler", _words(r"opto-?(?:coupler|isolator)|photo-?coupler|optokoppler|光耦"), 3.0),
    ("op_amp", _words(r"operational[ -]amplifiers?|\bop[ -]?amps?\b|operationsverstärker|运算放大器|"
                      r"\bcomparators?\b"), 3.0),
    ("regulator", _words(r"(?:voltage|linear|positive|negative|shunt|adjustable|low[ -]dropout) regulators?|\bLDO\b|"
                         r"spannungsregler|稳压器|voltage reference"), 3.0),
    ("schottky", _words(r"schottky|肖特基"), 3.0),
    ("zener", _words(r"zener|稳压二极管|voltage regulator diodes?"), 3.2),
    ("rectifier", _words(r"rectifiers?|gleichrichter|整流"), 2.0),
    ("led", _words(r"\bLEDs?\b|light[ -]emitting|leuchtdiode|发光二极管"), 2.5),
    ("jfet", _words(r"\bJ-?FETs?\b|junction (?:field|FET)|n-channel (?:switch|amplifier|rf)|p-channel switch|"
                    r"结型场效应"), 3.0),
    ("mosfet", _words(r"MOS-?FETs?|\bMOS transistor|enhancement mode|power mos|trenchmos|hexfet|场效应管"), 2.8),
    ("bjt", _words(r"\b(?:NPN|PNP)\b|bipolar|general purpose (?:transistor|amplifier)|silicon transistor|三极管|"
                   r"power transistor|darlington"), 2.6),
    ("diode", _words(r"diodes?\b|二极管"), 1.6),
)  # fmt: skip

SYMBOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "bjt": ("VCEO", "VCBO", "VEBO", "HFE", "VCESAT", "VBESAT", "ICBO", "FT", "VBRCEO"),
    "mosfet": ("VDSS", "VGSTH", "RDSON", "CISS", "QG", "QGS", "QGD", "VSD", "VBRDSS"),
    "jfet": ("VGSOFF", "IDOFF", "BVGSS", "VBRGSS", "BVBRGSS", "IGF", "YFS", "VDG"),
    "diode": ("VF", "VRRM", "TRR", "IFM", "CT", "VR", "CD"),
    "rectifier": ("IFAV", "IO", "IFSM", "VRMS", "VDC"),
    "zener": ("VZ", "ZZT", "ZZK", "IZT", "IZM", "IZK", "RZT"),
    "led": ("IV", "ΛD", "ΛP", "2Θ12", "luminous intensity", "dominant wavelength"),
    "op_amp": (
        "VOS",
        "VIO",
        "IOS",
        "IIO",
        "IB",
        "CMRR",
        "PSRR",
        "SR",
        "GBW",
        "AVOL",
        "slew rate",
        "input offset voltage",
    ),
    "regulator": ("line regulation", "load regulation", "dropout voltage", "quiescent current", "ripple rejection"),
    "optocoupler": ("CTR", "current transfer ratio", "isolation voltage", "VISO", "VIORM"),
}

POLARITY: Final[Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]]] = {
    "bjt": (("npn", _words(r"\bNPN\b")), ("pnp", _words(r"\bPNP\b"))),
    "mosfet": (
        ("n", _words(r"\bN[ -]?(?:channel|ch\b|MOS)|n-kanal")),
        ("p", _words(r"\bP[ -]?(?:channel|ch\b|MOS)|p-kanal")),
    ),
    "jfet": (("n", _words(r"\bN[ -]?(?:channel|ch\b)|n-kanal")), ("p", _words(r"\bP[ -]?(?:channel|ch\b)|p-kanal"))),
}

MAKERS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("Vishay", r"V(?:ishay|ISHAY)"),
        ("Fairchild Semiconductor", r"F(?:airchild|AIRCHILD)"),
        ("onsemi", r"\bONSEMI\b|\bonsemi\b|ON Semiconductor|Semiconductor Components Industries|SCILLC"),
        ("STMicroelectronics", r"STM(?:icroelectronics|ICROELECTRONICS)|SGS-THOMSON"),
        ("Texas Instruments", r"Texas Instruments|TEXAS INSTRUMENTS|\bti\.com"),
        ("Infineon", r"I(?:nfineon|NFINEON)|International Rectifier"),
        ("Nexperia", r"N(?:experia|EXPERIA)"),
        ("NXP Semiconductors", r"NXP|Philips Semiconductors"),
        ("Diodes Incorporated", r"Diodes I(?:ncorporated|nc)|DIODES INCORPORATED|Zetex|\bdiodes\.com"),
        ("ROHM", r"R(?:OHM|ohm)\b"),
        ("Toshiba", r"T(?:oshiba|OSHIBA)"),
        ("Renesas", r"R(?:enesas|ENESAS)|Intersil"),
        ("Microchip", r"Microchip|Microsemi|MICROSEMI"),
        ("Analog Devices", r"Analog Devices|ANALOG DEVICES|Linear Technology|Maxim Integrated"),
        ("Central Semiconductor", r"Central Semiconductor|Central\s+Semiconductor Corp"),
        ("Comchip", r"C(?:omchip|OMCHIP)"),
        ("Micro Commercial Components", r"Micro Commercial Co|MCC"),
        ("Taiwan Semiconductor", r"Taiwan Semiconductor|TAIWAN SEMICONDUCTOR"),
        ("Jiangsu Changjiang (JCET)", r"JIANGSU CHANG|Jiangsu Chang|JCET"),
        ("Everlight", r"E(?:verlight|VERLIGHT)"),
        ("Lite-On", r"L(?:ite-?[Oo]n|ITE-?ON)\b"),
        ("Kingbright", r"K(?:ingbright|INGBRIGHT)"),
        ("Sharp", r"SHARP"),
        ("Broadcom", r"Broadcom|Avago|Agilent"),
        ("Panjit", r"P(?:anjit|ANJIT|AN JIT)"),
        ("Good-Ark", r"Good-?Ark|GOOD-?ARK"),
        ("Littelfuse", r"Littelfuse|IXYS"),
        ("InterFET", r"InterFET|INTERFET"),
        ("Linear Systems", r"Linear (?:Integrated )?Systems|LINEAR SYSTEMS"),
        ("Alpha & Omega Semiconductor", r"Alpha (?:&|and) Omega"),
        ("Siliconix", r"S(?:iliconix|ILICONIX)"),
        ("Motorola", r"M(?:otorola|OTOROLA)"),
        ("National Semiconductor", r"National Semiconductor"),
        ("Samsung", r"S(?:amsung|AMSUNG)"),
        ("Unisonic Technologies", r"UNISONIC|Unisonic"),
        ("Rectron", r"R(?:ectron|ECTRON)"),
        ("Bourns", r"B(?:ourns|OURNS)"),
        ("OSRAM", r"O(?:SRAM|sram)"),
        ("Cree", r"\bCree\b|Wolfspeed"),
    )
)
