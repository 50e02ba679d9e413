"""Datasheets from Python: read a PDF, extract its parameters, make a SPICE card and check it.

python examples/datasheets.py [SHEET.pdf [PART]]

Without a file, it draws a sheet of a diode that does not exist (needs reportlab) and reads that.
"""

import io
import sys
import tempfile
from pathlib import Path

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build
from pipelines.datasheets.document import read_document
from pipelines.datasheets.extraction import extract
from pipelines.datasheets.spice.facts import facts_of
from pipelines.datasheets.spice.making import make_card

ROWS = [
    ("Symbol", "Parameter", "Conditions", "Min.", "Typ.", "Max.", "Unit"),
    ("VF", "Forward voltage", "IF = 1 mA", "", "0.62", "0.72", "V"),
    ("VF", "Forward voltage", "IF = 100 mA", "", "0.88", "1.0", "V"),
    ("IR", "Reverse current", "VR = 75 V", "", "", "5", "µA"),
    ("CD", "Diode capacitance", "VR = 0 V, f = 1 MHz", "", "1.5", "4", "pF"),
    ("trr", "Reverse recovery time", "IF = IR = 10 mA", "", "", "4", "ns"),
]


def sheet() -> bytes:
    """A page with one ruled table."""
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    canvas.setFont("Helvetica-Bold", 18)
    canvas.drawString(50, 790, "QD1000")
    canvas.setFont("Helvetica-Bold", 12)
    canvas.drawString(50, 765, "Small Signal Switching Diode")
    canvas.drawString(50, 735, "Electrical Characteristics")
    canvas.setFont("Helvetica", 9)
    widths = (50, 130, 130, 40, 40, 40, 45)
    for r, row in enumerate(ROWS):
        x, y = 50.0, 710 - 18 * r
        for width, text in zip(widths, row, strict=True):
            canvas.rect(x, y, width, 18)
            canvas.drawString(x + 3, y + 6, text)
            x += width
    canvas.save()
    return out.getvalue()


def main() -> None:
    """Read, extract, model, print."""
    pdf = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else sheet()
    spec = registry.spec("datasheets")
    starter = spec.starter
    assert starter is not None
    with tempfile.TemporaryDirectory() as folder:
        store = ArtifactStore(Path(folder))
        config = spec.config()
        built = build(spec, starter(), encoder=EncoderLibrary(store).get(config.encoder), store=store, config=config)
        found = extract(read_document(pdf), built.pipeline.run, part=sys.argv[2] if len(sys.argv) > 2 else None)
    print(f"{found.part} ({found.device_type}), {found.looked.rows_returned} of {found.looked.rows_seen} rows")
    for e in found.parameters:
        row = e.row
        held = ", ".join(dict.fromkeys(c.text for c in row.conditions))
        print(f"{e.name:8} {row.min!s:>5} {row.typ!s:>5} {row.max!s:>5} {row.unit or '':3} {held:22} page {row.page}")
    card = make_card(
        facts_of(found.parameters), device_type=found.device_type or "diode", part=found.part, polarity=found.polarity
    )
    print(f"\n{card.text}")
    for c in card.checks:
        print(f"{c.quantity:6} datasheet {c.datasheet:.4g}, simulated {c.simulated:.4g} ({c.relative_error:+.1%})")
    if card.simulator is None:
        print("not simulated: ngspice is not installed")


if __name__ == "__main__":
    main()
