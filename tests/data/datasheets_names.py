"""Which canonical parameter each row of the synthetic sheets is, by hand; a row that is not here is none that we name."""

BY_SYMBOL = {
    "VRRM": "v_rrm", "IF": "i_f", "Tstg": "t_stg", "VF": "v_f", "IR": "i_r", "CD": "c_d", "CT": "c_d",
    "V(BR)CEO": "v_br_ceo", "V(BR)CBO": "v_br_cbo", "ICBO": "i_cbo", "ICB0": "i_cbo", "ICEO": "i_ceo",
    "IEBO": "i_ebo", "hFE": "h_fe", "hie": "h_ie", "VCE(sat)": "v_ce_sat", "UCEsat": "v_ce_sat", "UBE": "v_be_on",
    "fT": "f_t", "Cob": "c_ob", "CCB0": "c_ob", "F": "nf", "VCEO": "v_ceo", "VEBO": "v_ebo", "IC": "i_c",
    "VGS(off)": "v_gs_off", "IDSS": "i_dss", "VRMS": "v_r_rms", "IF(AV)": "i_f_av", "IFSM": "i_fsm", "CJ": "c_j",
    "TJ": "t_j", "Tj": "t_j", "VZ": "v_z", "IZT": "i_zt", "ZZT": "z_zt", "VIO": "v_os", "Vio": "v_os", "Iio": "i_os",
    "IIB": "i_bias", "CMRR": "cmrr", "RDS(on)": "r_ds_on", "RDS(ON)": "r_ds_on", "td(on)": "t_d_on",
    "td(off)": "t_d_off", "Ciss": "c_iss", "Coss": "c_oss", "Crss": "c_rss", "IGSS": "i_gss", "PD": "p_tot",
    "Ptot": "p_tot", "VO": "v_o", "ΔVO": "reg_line", "IQ": "i_q", "RR": "rr", "RO": "r_o", "CTR": "ctr",
    "Viso": "v_iso", "IV": "i_v", "λD": "lambda_d", "trr": "t_rr", "RthJA": "r_th_ja", "TCVOS": "tc_v_os", "SR": "sr",
    "AVO": "a_vol", "RIN": "r_in", "ISC": "i_sc", "PSRR": "psrr", "I²t": "i2t", "VREF": "v_ref", "IADJ": "i_adj",
    "IO(MIN)": "i_o_min", "VDSS": "v_dss", "ID": "i_d", "VR": "v_r", "VGS(th)": "v_gs_th", "Qg": "q_g",
}  # fmt: skip
BY_NAME = {
    "Derate above 25 °C": "p_derating",
    "RMS output noise": "v_n",
    "Input Offset Voltage": "v_os",
    "Input Bias Current": "i_bias",
    "Slew Rate": "sr",
}


def canonical(symbol: str | None, name: str) -> str | None:
    """The canonical name of a row; None for rows that mean nothing in their sheet (a gate voltage of a diode)."""
    return BY_SYMBOL.get(symbol) if symbol else BY_NAME.get(name)
