"""Operational amplifiers: a macromodel of one pole, a limited slew rate and a limited swing."""

import math
from typing import Final

from pipelines.datasheets.errors import ModelImpossible
from pipelines.datasheets.spice.facts import Fact, Facts
from pipelines.datasheets.spice.model import Model, Sheet, number

_CAPACITANCE: Final = 1e-9
"""Of the one pole; only its ratios to the other two matter."""


def op_amp(facts: Facts, *, name: str) -> Model:
    """The macromodel. Raises: ModelImpossible without a bandwidth or a gain."""
    bandwidth, gain, slew = facts.first("gbw", "f_unity"), facts.first("a_vol"), facts.first("sr")
    if bandwidth is None and gain is None:
        raise ModelImpossible("an operational amplifier's model needs gbw, f_unity or a_vol")
    sheet = Sheet()
    _taken(sheet, "GBW", bandwidth, 1e6, "Hz")
    if gain and gain.unit == "dB":
        sheet.derived("AVOL", 10 ** (gain.magnitude / 20), "V/V", [gain], "10^(dB/20)")
    else:
        _taken(sheet, "AVOL", gain, 1e5, "V/V")
    _taken(sheet, "SR", slew, 0.5e6, "V/s")
    _taken(sheet, "VOS", facts.first("v_os"), 0.0, "V")
    _taken(sheet, "IB", facts.first("i_bias"), 1e-9, "A")
    _taken(sheet, "IOS", facts.first("i_os"), 0.0, "A")
    _taken(sheet, "RIN", facts.first("r_in"), 1e7, "Ω")
    _taken(sheet, "ROUT", facts.first("r_out_op"), 75.0, "Ω")
    _taken(sheet, "IQ", facts.first("i_s_supply"), 1e-3, "A")
    sheet.assumed("VDROP", 1.5, "V", "between the supplies and the widest swing")
    sheet.note_bounds([f for f in (bandwidth, gain, slew) if f])
    value = {p.name: p.value for p in sheet.parameters}
    gm = 2 * math.pi * value["GBW"] * _CAPACITANCE
    limit = value["SR"] * _CAPACITANCE
    body = (
        f"VOS INP 1 {number(value['VOS'])}",
        f"IBP 1 0 {number(value['IB'] + value['IOS'] / 2)}",
        f"IBN INN 0 {number(value['IB'] - value['IOS'] / 2)}",
        f"RIN 1 INN {number(value['RIN'])}",
        f"BGM 0 2 I={number(limit)}*tanh({number(gm / limit)}*V(1,INN))",
        f"RP 2 0 {number(value['AVOL'] / gm)}",
        f"CP 2 0 {number(_CAPACITANCE)}",
        f"BO 3 0 V=max(min(V(2),V(VCC)-{number(value['VDROP'])}),V(VEE)+{number(value['VDROP'])})",
        f"RO 3 OUT {number(value['ROUT'])}",
        f"IQ VCC VEE {number(value['IQ'])}",
    )
    nodes = ("INP", "INN", "VCC", "VEE", "OUT")
    return Model(name, "SUBCKT", tuple(sheet.parameters), nodes, body=body, notes=tuple(sheet.notes))


def _taken(sheet: Sheet, name: str, fact: Fact | None, usual: float, unit: str) -> None:
    if fact:
        sheet.copied(name, fact, unit)
    else:
        sheet.assumed(name, usual, unit, "not printed")
