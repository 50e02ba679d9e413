"""Ten messy titles and what becomes of them."""

from typing import Final

from rich.markup import escape
from rich.table import Table

from pipelines.build import Build
from pipelines.results import Request
from service.cli.console import out

TITLES: Final = (
    "Sr. Java Developer (m/w/d) - Berlin, up to €85k",
    "Registered Nurse, ICU - night shift - $42/hr",
    "URGENT!! HGV Class 1 driver (immediate start)",
    "Barista part-time 🙌",
    "Gesundheits- und Krankenpfleger*in in Vollzeit",
    "Kfz-Mechatroniker (gn) unbefristet",
    "Stagiaire comptable H/F - Lyon",
    "Conductrice de travaux CDI",
    "camarera de pisos - fines de semana",
    "Free parking and dental insurance",
)


def show_demo(built: Build, *, n: int = len(TITLES)) -> None:
    """Answer the first `n` titles and print them as a table."""
    titles = TITLES[:n]
    results = built.pipeline.run([Request(title) for title in titles])
    table = Table("title", "cleaned", "level", "code", "occupation", "confidence", title="Titles, as they come")
    for title, result in zip(titles, results, strict=True):
        linked = result.mentions[0]
        decision = linked.decision
        best = next((c for c in decision.candidates if c.concept_id == decision.concept_id), None)
        code = next(iter(best.codes.values()), "") if best else ""
        table.add_row(
            title,
            escape(linked.mention.query),
            str(linked.mention.facts.get("seniority") or ""),
            code,
            escape(decision.name) if decision.name else "[dim]NIL[/dim]",
            f"{decision.confidence:.2f}" if not decision.nil else "",
        )
    out.print(table)
