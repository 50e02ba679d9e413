"""Answers in the contract's shapes, for views of what the small test service does not host."""

import json

HOSTILE = "<img src=x onerror=document.title='owned'>"

CANDIDATES = [
    {"concept_id": "HP:0001945", "name": "Fever", "term": "Fieber", "term_language": "de", "score": 0.9,
     "confidence": 0.88, "scores": {"dense": 0.91, "lexical": 0.4, "rerank": 7.1}, "codes": {"umls": "C0015967"},
     "semantic_types": ["finding"], "explanation": "preferred term"},
    {"concept_id": "HP:0000002", "name": f"Chill {HOSTILE}", "term": "chill", "term_language": "en", "score": 0.5,
     "confidence": 0.1, "scores": {"dense": 0.6, "lexical": 0.5, "rerank": 2.0}, "codes": {}, "semantic_types": [],
     "explanation": HOSTILE},
]  # fmt: skip
NOTE = "😀 No fever. Her father has diabetes."
PRODUCED = {"terminology": {"name": "hpo", "version": "2026"}, "encoder": "e5", "generation": "g1"}


def _mention(start, end, *, nil=False, negated=False, experiencer="patient"):
    best = None if nil else CANDIDATES[0]
    return {"start": start, "end": end, "text": NOTE[start:end], "negated": negated, "experiencer": experiencer,
            "hypothetical": False, "candidates": CANDIDATES,
            "decision": {"nil": nil, "concept_id": best and best["concept_id"], "name": best and best["name"],
                         "confidence": 0.88, "notes": []}}  # fmt: skip


MEDICAL = {
    "results": [
        {"language": "en", "mentions": [_mention(5, 10, negated=True), _mention(27, 35, experiencer="family")]}
    ],
    **PRODUCED,
}


def parameter(name, symbol, page, bbox, quote, **values):
    """One extracted row."""
    return {"name": name, "symbol": symbol, "raw_name": f"{name} as printed", "variant": None, "min": None,
            "typ": None, "max": None, "unit": "V", "page": page, "bbox": bbox, "quote": quote, "section": "electrical",
            "section_title": "Electrical characteristics", "confidence": 0.93, "notes": [],
            "conditions": [{"symbol": "I_F", "value": 0.1, "unit": "A", "text": "IF = 100 mA"}],
            "si": {"unit": "V", "min": None, "typ": None, "max": 1.0},
            "decision": {"nil": False, "concept_id": name, "name": name, "confidence": 0.93, "notes": []},
            **values}  # fmt: skip


DATASHEET = {
    "document": {"id": "ab" * 32, "pages": 4, "title": "1N4148 switching diode", "candidates_parts": ["1N4148"]},
    "part": "1N4148", "manufacturer": "Acme", "device_type": "diode", "polarity": None,
    "parameters": [
        parameter("forward_voltage", "VF", 2, [60, 120, 540, 134], "Forward voltage VF IF = 100 mA 1.0 V", max=1.0),
        parameter("reverse_current", "IR", 2, [60, 140, 540, 154], "Reverse current IR VR = 20 V 25 nA", max=25,
                  unit="nA"),
        parameter("junction_capacitance", "CD", 3, [60, 300, 540, 314], "Diode capacitance CD VR = 0 4 pF", max=4,
                  unit="pF"),
    ],
    "focus": {"pages_total": 4, "pages_read": 2, "rows_seen": 21, "rows_returned": 3, "stages": {}},
    "notes": [], **PRODUCED,
}  # fmt: skip

SPICE = {
    "plot": {"format": "svg", "data": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'},
    "notes": ["RS is a guess"], "part": "1N4148", "model": "D", "dialect": "ngspice",
    "card": ".model D1N4148 D(IS=2.52n N=1.752)\n", "device_type": "diode", "simulator": "ngspice",
    "model_parameters": [
        {"name": "IS", "value": 2.52e-9, "unit": "A", "origin": "derived", "from": ["forward_voltage"],
         "formula": "I/exp(V/nVt)"},
        {"name": "EG", "value": 1.11, "unit": "eV", "origin": "assumed", "from": [], "formula": ""},
    ],
    "checks": [{"quantity": "V_F at 100 mA", "datasheet": 1.0, "simulated": 0.97, "unit": "V", "relative_error": -0.03,
                "source": {"page": 2, "quote": "Forward voltage"}}],
}  # fmt: skip

COLLECTIONS = {"collections": [{
    "name": "notes", "items": 240, "dimension": 64, "metric": "cosine", "index": "exact", "encoder": "hashing",
    "fields": {}, "lexical": None, "generation": "g7",
    "hubness": {"method": "dual_is", "reason": "measured to help", "query_bank": 500, "gallery_bank": 240,
                "skewness_before": 4.1, "skewness_after": 0.9, "measured_on": "held out",
                "methods": ["none", "auto", "dual_is"]},
}]}  # fmt: skip


def search(request):
    """The same hub first without correction, other documents with it."""
    asked = request.post_data_json
    plain = asked["hubness"] == "none"
    hits = [
        [("hub", 0.9, 0.9), (f"d{i}", 0.8, 0.8)] if plain else [(f"d{i}", 0.7, 0.8), (f"e{i}", 0.6, 0.5)]
        for i, _ in enumerate(asked["queries"])
    ]
    return {
        "results": [
            {"matched": 240, "hits": [{"id": d, "score": s, "raw_score": r, "text": f"text of {d} {HOSTILE}",
                                       "metadata": {}} for d, s, r in one]}
            for one in hits
        ],
        "collection": "notes", "encoder": "hashing", "generation": "g7",
        "hubness": "none" if plain else "dual_is",
    }  # fmt: skip


def job(status, done, **more):
    """A job as it stands."""
    return {"id": "job-1", "kind": "run", "status": status, "created_at": 1.8e9, "started_at": 1.8e9,
            "progress": {"done": done, "total": 100, "unit": "lines", "per_second": 50.0, "eta_s": 1.0},
            "finished_at": None, "output_file_id": None, "counts": {"ok": done, "failed": 0}, "error": None,
            "request": {}, "result": {}, **more}  # fmt: skip


FILE = {"id": "file-1", "filename": "titles.jsonl", "bytes": 123_456, "sha256": "0" * 64, "purpose": "batch",
        "created_at": 1.8e9}  # fmt: skip
KEY = {"id": "key-1", "name": "gateway", "scopes": ["read"], "prefixes": [], "rate": None, "created_at": 1.8e9,
       "last_used_at": None}  # fmt: skip


def json_of(content):
    """As it goes over the wire."""
    return json.dumps(content)
