"""Noise in titles that has a shape: gender marks, pay, ids, hours, shifts, dates, addresses.

Every repetition is bounded and no two neighbours can take the same text in many ways, so that time is
linear in the length of a title, a hostile one included.
"""

import re
from typing import Final

from pipelines.job_titles.lexicon import Reason


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


GENDER: Final = _pattern(
    r" ?[(\[{] ?(?:[mwfhvkdx]|div(?:ers)?|gn)\b\.?(?: ?[/|,.:*; -] ?"
    r"(?:[mwfhvkdxais]|div(?:ers)?|gn|all|any|nb|k\. ?a)\.?){1,4} ?[)\]}]",
    r"(?<![\w/&.-])(?:m ?[/|] ?[wfvkhd]|[wfvkhd] ?[/|] ?m|h ?[/|] ?f|f ?[/|] ?h|d ?[/|] ?[wf]|[wf] ?[/|] ?d)"
    r"(?: ?[/|] ?(?:[dxwmfai]|div(?:ers)?|gn)){0,3}(?![\w/])",
    r"\b(?:m-w-d|m,w,d|m\.w\.d)\b",
)
FEMININE: Final = re.compile(
    r"(?<=[^\W\d_]{3})(?:"
    r" ?/ ?-?(?:in|innen|frau|mann)(?![\w-])"
    r"|/-?(?:r|n|e|es|se|euse|ère|ere|ière|iere|ne|trice|rice|ve|esse|a|as|o|os|ora|ra|ka|tka|czka|czyni|yni|ster)"
    r"(?![\w-])"
    r"|[·•*:_]-?(?:in|innen|r|n|e|es|se|euse|ère|ere|ière|ne|trice|rice|ve|esse|fe|le|te|a|as|o|os|ka)(?:[·•.]s)?(?!\w)"
    r"|\.(?:e|se|euse|ère|ière|ne|trice|rice|ve|ice)(?:\.?s)?(?!\w)"
    r"| ?\((?:-?in|-?innen|ère|ière|euse|trice|(?-i:e|r))\)"
    r"|\((?:e|r|es|se|ere|ne|rice|ve|a|as|o|os|n|fe|le|ka|ora|st)\)"
    r"|-(?:euse|trice|ère|ière)(?![\w-])|(?<=eur)-se(?![\w-])|(?<=ien)-ne(?![\w-])|(?<=é)-e(?![\w-])"
    r"|(?<=er|or|nt|st|ur)-in(?:nen)?(?![\w-])"
    r")",
    re.IGNORECASE,
)
INNER_I: Final = re.compile(r"(?<=er|or|nt|st|ur)In(?:nen)?\b")
AT_SIGN: Final = re.compile(r"(?<=[a-z]{3})@(?=s?(?:$| (?:de|del|en|para|con)\b))")
GENDER_SIGNS: Final = frozenset("()[]{}/|*:_·•.-")

CONTACT: Final = _pattern(
    r"(?:https?://|www\.)\S+",
    r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}",
    r"\b(?:tel|phone|whats?app|call|mob|tél|telefon|fon)\b[ .:]{0,3}\+?\d[\d ()./-]{5,18}\d",
    r"(?<![\w.,])\+\d{1,3}[ .-]?\(?\d[\d ()./-]{5,16}\d",
    r"(?<![\w.,])0\d{1,4}[ /-]\d[\d -]{4,12}\d",
)
MINI_JOB: Final = _pattern(r"(?:auf )?\b\d{3}[ -]?(?:€|euro)[ -]?(?:jobs?|basis|kraft)\b")

_BEFORE: Final = r"(?:(?:US|C|A|S|R)?\$|[€£¥₹₽]|\b(?:RM|EUR|USD|GBP|CHF|PLN|SEK|DKK|NOK|CAD|AUD|SGD|MYR|INR|Rs\.?))"
_AFTER: Final = r"(?:k?€|k?£|\$|(?:k?EUR|euros?|zł|zl|PLN|kr|USD|GBP|CHF|SEK|DKK|NOK)\b|,-)"
_SUM: Final = r"\d{1,3}(?:[., ']?\d{3}){0,3}(?:[.,]\d{1,2})?(?!\d)(?: ?k\b)?"
_UNTIL: Final = r" ?(?:-|/|to|bis|à|a|al|do|and|até|hasta|tot) ?"
PAY: Final = _pattern(
    r"(?:(?:\b(?:up ?to|from|starting|start|at|earn|earning|salary|pays?|paying|ab|bis zu|bis|von|ca|gehalt|verdienst|"
    r"jusqu'à|à partir de|de|salaire|hasta|desde|sueldo|salario|fino a|da|ral|tot|vanaf|salaris|até|"
    r"a partir de|od|do|wynagrodzenie|basic|base|diploma)\b|@)[ :.]{0,2}){0,2}"
    rf"(?:(?:{_SUM}{_UNTIL})?(?:{_BEFORE} ?{_SUM}(?: ?{_AFTER})?|(?<![\w.,]){_SUM} ?{_AFTER})"
    rf"(?:{_UNTIL}{_BEFORE}? ?{_SUM}(?: ?{_AFTER})?)?"
    r"|(?<![\w.,])(?:\d{2,3} ?k? ?- ?)?\d{2,3} ?k\b)"
    r"(?: ?[*+])?(?: ?(?:/|\b(?:per|pro|par|por|al|all'|im|je|an?|the|na|za|p\.|je)\b)? ?"
    r"\b(?:hrs?|hour|hourly|h|std|stunde|stundenlohn|month|monthly|mth|monat|monatlich|mtl|mois|mes|mese|maand|mês|miesiąc|mies|years?|yr|annum|annual|"
    r"annually|jahr|jährlich|an|año|anno|jaar|ano|rok|day|tag|jour|día|giorno|dag|week|weekly|woche|semaine|heure|hora|"
    r"ora|uur|godz|pa|p\.a|pm|pcm|ph|p\.h|brutto|netto|gross|net|brut|bruto|ote|doe|basic|bonus|commission)\b\.?){0,3}"
)
IDENTIFIER: Final = _pattern(
    r"(?:\b(?:ref(?:erence|erenz|erencia|erentie)?|réf(?:érence)?|req(?:uisition)?|rif|kennziffer)\b"
    r"|\b(?:job|stellen|position|vacature|annonce|offre|anzeigen|requisition|req)[ -]?(?:id|no|nr|code|nummer|number)\b"
    r"|\bid ?[:#])"
    r" ?(?:id|no|nr|n°|code|nummer|number)?[ .:#°-]{0,4}[a-z]{0,6}[-_/]?\d[\w/-]{1,20}",
    r"(?<![\w&+])# ?[a-z]{0,5}-?\d[\w-]{0,20}",
    r"(?<![\w&+])#[a-z]\w{0,20}",
    r"\b(?:JR|REQ|RF|R|VN|PJ|JO)[-_ ]?\d{4,12}(?:-\d{1,6})?\b",
    r"\b(?!ISO|DIN|IEC)[a-z]{1,4}[-_]?\d{5,12}\b",
    r"(?<![\w.,/-])\d{6,12}(?![\w%])",
)
_PER_WEEK: Final = (
    r"(?: ?(?:/|per|pro|par|p\.|por|a|na|je|i|à) ?(?:week|wk|woche|semaine|sem|semana|"
    r"settimana|tydzień|tyg|vecka|uge)\b\.?)?"
)
HOURS: Final = _pattern(
    r"(?<![\w.,])\d{1,3} ?%?(?: ?- ?\d{1,3})? ?%",
    r"(?<![\w.,])[01](?:[.,]\d{1,2})? ?FTE\b",
    rf"(?<![\w.,/])\d{{1,2}}(?:[.,]\d)?(?: ?- ?\d{{1,2}})? ?"
    rf"(?:h|hrs?|hours?|std|stunden|uur|uren|heures?|horas?|ore|godz|timer|timmar)\b\.?{_PER_WEEK}",
    r"(?<![\w.,/])\d{1,2}(?: ?- ?\d{1,2})?[ -]?"
    r"(?:months?|mths?|monate?|mois|meses|mesi|maanden|miesięcy|miesiące|weeks?|wochen)\b"
    r"(?: ?-? ?(?:ftc|fixed[ -]term|contract|temp|cdd|befristet))?",
    r"(?<![\w.,/])\d{1,2}(?: ?- ?\d{1,2})?[ -]?(?:years?|yrs?|jahre?) ?(?:ftc|fixed[ -]term|contract|befristet)\b",
)
SHIFTS: Final = _pattern(
    r"\b[2-6] ?[x×] ?(?:8|12)(?: ?h)?\b",
    r"\b(?:im )?[1-5]-?(?: ?(?:/|oder|bis|-) ?[2-5]-?)? ?(?:schicht|ploegen)[\w-]{0,20}",
    r"\b[1-5] (?:turni|turnos|zmian|zmiany|skift)\b",
    r"\b24 ?/ ?7\b",
)
_MONTH: Final = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|okt|nov|dec|dez|januar|februar|märz|april|mai|juni|juli|august|"
    r"september|oktober|november|dezember|january|february|march|june|july|october|december|janvier|février|mars|avril|"
    r"juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|"
    r"septiembre|octubre|noviembre|diciembre|summer|spring|autumn|fall|winter|sommer|herbst|frühjahr|été|verano)"
)
DATE: Final = _pattern(
    r"(?:\b(?:ab|zum|start|starting|from|dès|desde|dal|per|vanaf|od|beginn|"
    r"ausbildungsstart)\b[ :]{0,2}(?:le |dem |den )?)?"
    rf"(?:(?<![\w.,/])\d{{1,2}}[./]\d{{1,2}}[./](?:20)?\d\d(?!\w)|\b(?:\d{{1,2}}\.? )?{_MONTH}\.? ?20[2-4]\d\b|"
    r"(?<![\w.,/-])(?<!server )(?<!office )(?<!windows )(?<!sharepoint )(?<!exchange )(?<!dynamics )(?<!sql )"
    r"20[2-4]\d(?:/(?:20)?\d\d)?(?=$| ?\)| [-|])"
    r"|(?:(?<=ausbildung )|(?<=azubi )|(?<=praktikum )|(?<=internship )|(?<=stage ))20[2-4]\d\b)",
)
EXPERIENCE: Final = _pattern(
    r"(?<![\w.,])\d{1,2} ?\+?(?: ?- ?\d{1,2})? ?(?:years?|yrs?|jahre?|ans|años|anni) ?"
    r"(?:of |d'|de |di )?(?:exp|experience|berufserfahrung|expérience|experiencia|esperienza)\b",
)
DIGIT: Final = re.compile(r"\d")
MANY_DIGITS: Final = re.compile(r"\d(?:[ ()./-]{0,2}\d){7}")
"""Worth a look whether it is a telephone number."""
PLURAL: Final = re.compile(r"(?<=[^\W\d_]{3})\(s\)", re.IGNORECASE)
"""Developer(s)."""
WITH_DIGITS: Final[tuple[tuple[re.Pattern[str], Reason], ...]] = (
    (EXPERIENCE, "boilerplate"),
    (PAY, "pay"),
    (DATE, "boilerplate"),
    (SHIFTS, "shift"),
    (HOURS, "contract"),
)
