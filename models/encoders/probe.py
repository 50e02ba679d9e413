"""Does one encoder still say what another said? Measured on invented titles in eighteen languages."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.encoders.description import Agreement

# Invented here, composed (NFC), written as titles are: no taxonomy or vacancy is quoted.
PROBE: tuple[str, ...] = (
    "Senior harbour crane inspector", "Night-shift bakery supervisor", "Junior lighthouse data analyst",
    "Head of river logistics (m/f/d)", "Paediatric ward nurse", "Nurse, children's unit", "Tram driver",
    "Bus and tram operator", "Glass furnace technician", "Apprentice roofer", "C++ developer, embedded radios",
    "Firmware engineer for radio devices", "Payroll clerk part time", "Salary administration assistant",
    "Beekeeper", "Apiary manager", "Chief pharmacist", "Chronic migraine with aura", "Fracture of the left wrist",
    "Broken wrist, left", "Type 2 diabetes, poorly controlled", "Drain-source breakdown voltage",
    "Gate threshold voltage at 25 °C", "Forward voltage drop at 10 mA",
    "Leitender Hafenkraninspektor", "Schichtleiterin Nachtbäckerei", "Kinderkrankenpfleger (m/w/d)",
    "Straßenbahnfahrerin", "Sachbearbeiter Lohnbuchhaltung, Teilzeit", "Dachdeckerlehrling", "Handgelenksbruch links",
    "Inspecteur principal de grues portuaires", "Infirmière en pédiatrie", "Conductrice de tramway",
    "Apprenti couvreur", "Gestionnaire de paie à temps partiel", "Migraine chronique avec aura", "Apicultrice",
    "Inspector jefe de grúas portuarias", "Enfermero de pediatría", "Conductor de tranvía",
    "Auxiliar de nóminas a media jornada", "Aprendiz de techador", "Fractura de la muñeca izquierda",
    "Ispettrice di gru portuali", "Infermiere pediatrico", "Autista di tram", "Apicoltore", "Addetta alle paghe",
    "Inspetor de guindastes do porto", "Enfermeira pediátrica", "Motorista de elétrico", "Aprendiz de telhador",
    "Havenkraaninspecteur", "Kinderverpleegkundige", "Trambestuurder", "Leerling-dakdekker", "Imker",
    "Inspektor dźwigów portowych", "Pielęgniarka dziecięca", "Motorniczy tramwaju", "Pszczelarz",
    "Barnsjuksköterska", "Spårvagnsförare", "Biodlare", "Lönehandläggare deltid",
    "Dětská zdravotní sestra", "Řidič tramvaje", "Včelař", "Gyermekápoló", "Villamosvezető",
    "Asistentă medicală pediatrie", "Vatman tramvai", "Çocuk hemşiresi", "Tramvay sürücüsü", "Arıcı",
    "Инспектор портовых кранов", "Детская медсестра", "Водитель трамвая", "Пчеловод",
    "Παιδιατρική νοσηλεύτρια", "Οδηγός τραμ", "Μελισσοκόμος", "ممرضة أطفال", "سائق ترام", "مربي نحل",
    "儿科护士", "电车司机", "养蜂人", "港口起重机检查员", "小児科看護師", "路面電車の運転士", "養蜂家",
    "소아과 간호사", "전차 운전사", "양봉가",
)  # fmt: skip


def measure_agreement(
    reference: Callable[[Sequence[str]], Vectors],
    other: Callable[[Sequence[str]], Vectors],
    *,
    name: str,
    texts: Sequence[str] = PROBE,
) -> Agreement:
    """How closely `other` follows `reference` over the texts; `name` says what the reference is.

    Of each text the nearest *other* text is looked for under both: `top1` is the share where it is the same one.
    """
    expected, found = unit(np.asarray(reference(texts))), unit(np.asarray(other(texts)))
    cosines = (expected * found).sum(axis=1)
    same = _nearest(expected) == _nearest(found)
    return Agreement(
        reference=name,
        texts=len(texts),
        mean_cosine=round(float(cosines.mean()), 7),
        min_cosine=round(float(cosines.min()), 7),
        top1=round(float(same.mean()), 4),
    )


def _nearest(vectors: Vectors) -> NDArray[np.intp]:
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    nearest: NDArray[np.intp] = similarities.argmax(axis=1)
    return nearest
