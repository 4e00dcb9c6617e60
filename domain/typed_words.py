"""The words that people type for days, months and hours, in seven languages.

English, German, French, Spanish, Italian, Portuguese and Dutch. All words are written as `plain` returns them: in lower
case, without accents. tests/patience/test_typed_words.py compares days and months with the names in the Unicode CLDR.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from domain import addresses

_DAYS_BY_LANGUAGE = {
    "English": (
        "mo mon monday mondays",
        "tu tue tues tuesday tuesdays",
        "we wed weds wednesday wednesdays",
        "th thu thur thurs thursday thursdays",
        "fr fri friday fridays",
        "sa sat saturday saturdays",
        "su sun sunday sundays",
    ),
    "German": (
        "mo mon montag montags",
        "di die dienstag dienstags",
        "mi mit mittwoch mittwochs",
        "do don donnerstag donnerstags",
        "fr fre freitag freitags",
        "sa sam samstag samstags sonnabend sonnabends",
        "so son sonntag sonntags",
    ),
    "French": (
        "lu lun lundi lundis",
        "ma mar mardi mardis",
        "me mer mercredi mercredis",
        "je jeu jeudi jeudis",
        "ve ven vendredi vendredis",
        "sa sam samedi samedis",
        "di dim dimanche dimanches",
    ),
    "Spanish": (
        "lu lun lunes",
        "ma mar martes",
        "mi mie miercoles",
        "ju jue jueves",
        "vi vie viernes",
        "sa sab sabado sabados",
        "do dom domingo domingos",
    ),
    "Italian": (
        "lu lun lunedi",
        "ma mar martedi",
        "me mer mercoledi",
        "gi gio giovedi",
        "ve ven venerdi",
        "sa sab sabato",
        "do dom domenica",
    ),
    "Portuguese": (
        "se seg segunda segundas",
        "te ter terca tercas",
        "qua quarta quartas",
        "qui quinta quintas",
        "sex sexta sextas",
        "sab sabado sabados",
        "dom domingo domingos",
    ),
    "Dutch": (
        "ma maa maandag maandags",
        "di din dinsdag dinsdags",
        "wo woe woensdag woensdags",
        "do don donderdag donderdags",
        "vr vrij vri vrijdag vrijdags",
        "za zat zaterdag zaterdags",
        "zo zon zondag zondags",
    ),
}
DAY_NAMES = {
    language: {
        name: number for number, names in enumerate(days) for name in names.split()
    }
    for language, days in _DAYS_BY_LANGUAGE.items()
}
_WEEKDAYS = (
    "weekdays;weekday;working days;workdays;business days;werktags;werktage;wochentags;wochentage;en semaine;semaine;"
    "jours de semaine;laborables;dias laborables;entre semana;giorni lavorativi;dias uteis;dias de semana;werkdagen;"
    "doordeweeks;m-f;m-fr;l-v"
)
_WEEKEND = (
    "weekend;weekends;week-end;week-ends;wochenende;wochenenden;am wochenende;le week-end;fin de semana;"
    "fines de semana;fine settimana;fim de semana;fins de semana;in het weekend"
)
_DAILY = (
    "daily;every day;everyday;each day;all;all days;all week;7 days a week;taglich;jeden tag;alle tage;tous les jours;"
    "tlj;7j/7;todos los dias;cada dia;diario;diariamente;a diario;ogni giorno;tutti i giorni;todos os dias;todo dia;"
    "dagelijks;elke dag;alle dagen;iedere dag"
)
GROUPS = {
    **dict.fromkeys(_WEEKDAYS.split(";"), tuple(range(5))),
    **dict.fromkeys(_WEEKEND.split(";"), (5, 6)),
    **dict.fromkeys(_DAILY.split(";"), tuple(range(7))),
}
_PUBLIC_HOLIDAYS = (
    "ph;holiday;holidays;public holiday;public holidays;bank holidays;feiertag;feiertage;an feiertagen;feiertags;"
    "jours feries;jour ferie;festivos;dias festivos;festivi;giorni festivi;feriados;feestdagen"
)
PUBLIC_HOLIDAYS = frozenset(_PUBLIC_HOLIDAYS.split(";"))
_CLOSED = (
    ";-;--;x;n/a;na;none;no;nil;off;closed;close;shut;closed all day;we are closed;not open;geschlossen;zu;ruhetag;"
    "nein;ganztagig geschlossen;keine;ferme;fermee;non;repos;cerrado;cerrada;chiuso;chiusa;riposo;fechado;encerrado;"
    "nao;gesloten;dicht;nee"
)
CLOSED = frozenset(_CLOSED.split(";"))
_OPEN = (
    "open;always;always open;all day;open all day;24h;24 h;24hrs;24 hrs;24hours;24 hours;24/7;24x7;24-7;24 x 7;"
    "24 stunden;24 std;rund um die uhr;ganztags;ganztagig;durchgehend;durchgehend geoffnet;24h/24;24h/24h;24h/24 7j/7;"
    "24 horas;todo el dia;siempre;24 ore;24 ore su 24;sempre;sempre aperto;o dia todo;24 uur;hele dag;altijd"
)
OPEN = frozenset(_OPEN.split(";"))
NOON = (
    "noon",
    "midday",
    "mittag",
    "midi",
    "mediodia",
    "mezzogiorno",
    "meio-dia",
    "meio dia",
    "middag",
)
MIDNIGHT = (
    "midnight",
    "mitternacht",
    "minuit",
    "medianoche",
    "mezzanotte",
    "meia-noite",
    "meia noite",
    "middernacht",
)
# Before the first day or time: "from 9 to 5", "dalle 9 alle 17".
LEADING = (
    "from",
    "open",
    "von",
    "vom",
    "geoffnet",
    "de",
    "du",
    "des",
    "da",
    "dal",
    "dalle",
    "das",
    "desde",
    "van",
)
# Between the two ends of a range, besides dashes.
RANGE = (
    *(
        "to",
        "until",
        "till",
        "til",
        "through",
        "thru",
        "bis",
        "a",
        "au",
        "al",
        "alle",
        "as",
        "ao",
        "ate",
        "hasta",
    ),
    *("tot en met", "tot", "t/m", "fino a", "fino alle", "jusqu'a", "jusqu'au"),
)
# Between two days or two spans, besides commas.
AND = ("and", "und", "et", "y", "e", "en", "u.", "u", "sowie", "plus")
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janner januari janvier janv enero ene gennaio gen janeiro",
            "february feb februar feber fevrier fev fevr febrero febbraio febr fevereiro februari",
            "march mar marz mrz mars marzo marco maart mrt",
            "april apr avril avr abril abr aprile",
            "may mai mayo maggio mag maio mei",
            "june jun juni juin junio giugno giu junho",
            "july jul juli juillet juil julio luglio lug julho",
            "august aug aout agosto ago augustus",
            "september sep sept septembre septiembre settembre set setembro",
            "october oct oktober okt octobre octubre ottobre ott outubro out",
            "november nov novembre noviembre novembro",
            "december dec dezember dez decembre diciembre dic dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}


@lru_cache(maxsize=2000)
def plain(text: str) -> str:
    """Return the text in lower case, without accents, invisible characters and repeated blanks."""
    decomposed = unicodedata.normalize("NFKD", addresses.visible(text))
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(
        unicodedata.normalize("NFKC", letters).casefold().replace("’", "'").split()
    )
