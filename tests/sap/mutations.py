"""Changes to good artifacts, each labelled: what keeps the verdict, what breaks it.

A keeping change is what copying, another layout or another language does. A
breaking change is a mistake that people make.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.sap import samples
from tests.sap.samples import sample

Change = Callable[[str, Random], str]


@dataclass(frozen=True)
class Mutation:
    """One labelled change; `keeps` says whether the verdict stays a pass."""

    name: str
    keeps: bool
    change: Change


@dataclass(frozen=True)
class Case:
    """A validator, good texts for it, and what may be done to them."""

    judge: str
    texts: tuple[str, ...]
    keep: tuple[Mutation, ...]
    breaking: tuple[Mutation, ...]


def replacing(name: str, pattern: str, *values: str, keeps: bool = False) -> Mutation:
    """Return a change that replaces the first hit by one of the values."""

    def change(text: str, random: Random) -> str:
        value = random.choice(values)
        return re.sub(pattern, lambda _: value, text, count=1)

    return Mutation(name, keeps, change)


def keeping(name: str, pattern: str, *values: str) -> Mutation:
    """Return such a change that does no harm."""
    return replacing(name, pattern, *values, keeps=True)


def without(name: str, word: str) -> Mutation:
    """Return a change that drops every line with a word."""

    def change(text: str, random: Random) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if word not in line)

    return Mutation(name, False, change)


def _endings(text: str, random: Random) -> str:
    return text.replace("\n", random.choice(["\r\n", "\r", "\n"]))


def _blank_lines(text: str, random: Random) -> str:
    lines = text.split("\n")
    lines.insert(random.randint(0, len(lines)), " " * random.randint(0, 3))
    return "\n".join(lines)


def _hard_spaces(text: str, random: Random) -> str:
    return text.replace(" ", "\u00a0") if random.random() < 0.5 else text


def _trailing(text: str, random: Random) -> str:
    return re.sub(r"(?m)$", " " * random.randint(0, 4), text)


def _shuffled(text: str, random: Random) -> str:
    lines = text.strip("\n").split("\n")
    random.shuffle(lines)
    return "\n".join(lines)


def _mark(text: str, random: Random) -> str:
    return "\ufeff" + text


COPYING = (
    Mutation("line ends", True, _endings),
    Mutation("blank lines", True, _blank_lines),
    Mutation("hard spaces", True, _hard_spaces),
    Mutation("byte order mark", True, _mark),
)
TRAILING = Mutation("trailing spaces", True, _trailing)
SHUFFLED = Mutation("order of lines", True, _shuffled)

_PORT = r"icm/server_port_1"
_VALUE = r"PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1"

VALUE_KEEP = (
    keeping("spaces after commas", _VALUE, _VALUE.replace(",", ", ")),
    keeping("TLS 2", _VALUE, _VALUE.replace("TLS=1", "TLS=2")),
    keeping("other timeout", _VALUE, _VALUE.replace("180", "60")),
    keeping("more options", _VALUE, _VALUE + ",PROCTIMEOUT=180"),
    keeping("options in another order", _VALUE, "PORT=25000,TLS=1,PROT=SMTP"),
)
VALUE_BREAK = (
    replacing("SMTPS", "PROT=SMTP", "PROT=SMTPS"),
    replacing("another protocol", "PROT=SMTP", "PROT=HTTP", "PROT=ESMTPS"),
    replacing("no port", ",PORT=25000", ""),
    replacing("bad port", "PORT=25000", "PORT=", "PORT=70000", "PORT=2.5"),
    replacing("semicolons", _VALUE, _VALUE.replace(",", ";")),
    replacing("TLS in words", "TLS=1", "TLS=YES", "TLS=3", "TLS=on", "TLS="),
    replacing("spaces at the equals sign", "PORT=25000", "PORT = 25000", "PORT= 25000"),
    replacing("quotes", _VALUE, f'"{_VALUE}"', f"\u201c{_VALUE}\u201d"),
)

PROFILE = Case(
    "profile",
    (sample("A1"),),
    (
        *COPYING,
        TRAILING,
        SHUFFLED,
        *VALUE_KEEP[:3],
        keeping("another index", _PORT, "icm/server_port_2", "icm/server_port_17"),
        keeping("comment", r"\A", "# icm/server-port-1 = PROT=SMTPS\n"),
        keeping("send only", "PORT=25000", "PORT=0"),
        keeping("tight equals sign", r"server_port_1 = ", "server_port_1="),
        keeping("other ciphers", "150:PFS", "1174:PFS", "562:PFS"),
    ),
    (
        *VALUE_BREAK,
        replacing("hyphens", _PORT, "icm/server-port-1", "icm/server-port_1"),
        replacing("misspelt", _PORT, "icm/server_port1", "icm/serverport_1"),
        replacing("case", _PORT, "ICM/server_port_1", "icm/Server_Port_1"),
        replacing("backslash", _PORT, "icm\\server_port_1"),
        replacing("plural", _PORT, "icm/server_ports_1", "icm/smtp_port"),
        replacing(
            "full width", _PORT, "icm/server_port_\uff11", "\uff49cm/server_port1"
        ),
        replacing("leading zero", _PORT, "icm/server_port_01", "icm/server_port_001"),
        replacing("commented out", _PORT, "# icm/server_port_1", "#icm/server_port_1"),
        replacing("ICM is off", "start_icman = true", "start_icman = false"),
        replacing("port taken", r"PORT=443\$\$", "PORT=25000"),
        without("no line", _PORT),
    ),
)

PARAMETER_VALUE = Case(
    "parameter value",
    (sample("B1"), sample("B2")),
    (
        *COPYING,
        TRAILING,
        keeping("German labels", "Current Value", "Aktueller Wert"),
        keeping("script format", r"(?s)\A.*\Z", f"0 : {_VALUE}\n"),
        keeping("TLS 2", r"(?s)\A.*\Z", "ParameterValue\nOK\n" + _VALUE[:-1] + "2"),
    ),
    (
        Mutation("all SMTPS", False, lambda t, _: t.replace("=SMTP,", "=SMTPS,")),
        Mutation("no port", False, lambda t, _: t.replace(",PORT=25000", "")),
        Mutation("not set", False, lambda t, _: t.replace(_VALUE, "NOT_EXIST")),
        Mutation("no value", False, lambda t, _: t.replace(_VALUE, "")),
        Mutation("failed", False, lambda t, _: "FAIL: Invalid parameter\n"),
        Mutation("old", False, lambda t, _: sample("B3")),
        Mutation("no profile", False, lambda t, _: sample("B4") + t),
    ),
)


def _as(separator: str) -> Change:
    """Return a change of the list's form: another character between the columns."""

    def change(text: str, random: Random) -> str:
        plain = text.replace("\ufeff", "")
        rows = [line for line in plain.splitlines() if line.strip(" |-+=")]
        cells = [[c.strip() for c in row.strip().strip("|").split("|")] for row in rows]
        return "\n".join(separator.join(row) for row in cells)

    return change


PARAMETER_LIST = Case(
    "parameter list",
    (sample("C1"), sample("C2"), sample("C3")),
    (
        *COPYING[:2],
        keeping("German heading", "User-Defined Value", "Benutzerdefinierter Wert"),
        keeping("upper case", "Parameter Name", "PARAMETER NAME"),
        *VALUE_KEEP[1:3],
    ),
    (
        Mutation("no port", False, lambda t, _: t.replace(",PORT=25000", "")),
        replacing("SMTPS", "=SMTP,", "=SMTPS,"),
        replacing("empty", _VALUE, ""),
        replacing("hyphens", _PORT, "icm/server-port-1"),
        replacing("leading zero", _PORT, "icm/server_port_01"),
        replacing("other columns", "Parameter Name", "Nothing"),
    ),
)


def _extra_row(text: str, random: Random) -> str:
    return text.rstrip("\n") + "\n" + sample("D3").splitlines()[1] + "\n"


_BAR_SERVICES = sample("D4")

SERVICES = Case(
    "smicm",
    (sample("D1"),),
    (
        *COPYING,
        TRAILING,
        Mutation("more services", True, _extra_row),
        keeping("German heading", "Protocol", "Protokoll"),
        keeping("other port", "25000", "2525 ", "25   "),
        keeping("lower case", r"180       X", "180       x"),
    ),
    (
        Mutation("inactive", False, lambda t, _: sample("D2")),
        without("no row", "SMTP"),
        replacing("another protocol", "SMTP ", "POP3 "),
        replacing("other mark", r"(?<=180       )X", "?", "-"),
        replacing("no columns", "Protocol", "Whatever"),
        Mutation("no headings", False, lambda t, _: t.partition("\n")[2]),
    ),
)

BAR_SERVICES = Case(
    "smicm",
    (_BAR_SERVICES,),
    (
        *COPYING,
        Mutation("tabs", True, _as("\t")),
        Mutation("semicolons", True, _as(";")),
        keeping("icon", r"\| X(?=      \| SMTP)", "| @5B@", "| @08@", "| Active"),
    ),
    (
        Mutation("inactive", False, lambda t, _: t.replace("| X ", "|   ")),
        without("no row", "SMTP"),
        replacing("no such column", "Active", "Colour"),
    ),
)

_SHA1 = "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4"
_SERIAL = "03:3A:F1:E6:A7:11:A9:A0:BB:28:64:B1:1D:09:FA:E5"
_ROOT = "CN=DigiCert Global Root G2, OU=www.digicert.com, O=DigiCert Inc, C=US"

TRUST_LIST = Case(
    "strust",
    (sample("F1"),),
    (
        *COPYING,
        TRAILING,
        keeping("the other PSE", r"\(Anonymous\)", "(Standard)"),
        keeping(
            "its SHA-1",
            _ROOT,
            f"{_ROOT}\nSHA1 {_SHA1}",
        ),
        keeping(
            "its serial",
            _ROOT,
            f"{_ROOT}\n{_SERIAL}",
        ),
        keeping("another CA", _ROOT, f"{_ROOT}\nCN=Contoso Root CA, O=Contoso"),
    ),
    (
        without("not there", "Global Root G2"),
        replacing("another root", "Root G2", "Root G3", "Root G2x"),
        replacing("server PSE", "SSL client SSL Client", "SSL server Standard"),
        replacing("no PSE", "SSL client.*\n", "\n"),
        replacing("other SHA-1", _ROOT, f"{_ROOT}\nSHA1 {'AB' * 20}"),
        replacing("other serial", _ROOT, f"{_ROOT}\nSerial {'0C' * 16}"),
    ),
)


def _other_rows(text: str, random: Random) -> str:
    rows = [sample(name).splitlines()[1] for name in ("G2", "G5")]
    foreign = [row.replace("Runbook test 2026-11-23", "Invoice 4711") for row in rows]
    return text.rstrip("\n") + "\n" + random.choice(foreign) + "\n"


def _columns(text: str, random: Random) -> str:
    """Return the list with its columns in another order."""
    rows = [line.split("\t") for line in text.splitlines()]
    order = list(range(max(len(row) for row in rows)))
    random.shuffle(order)
    return "\n".join(
        "\t".join(row[n] if n < len(row) else "" for n in order) for row in rows
    )


def _showing(name: str) -> Change:
    """Return a change into another sample."""
    return lambda text, random: sample(name)


SEND_REQUESTS = Case(
    "sost",
    (sample("G1"),),
    (
        *COPYING[:1],
        Mutation("rows of others", True, _other_rows),
        Mutation("columns", True, _columns),
        keeping("American date", r"23\.11\.2026", "11/23/2026", "2026-11-23"),
        keeping("German headings", "Document Title", "Dokumenttitel"),
        keeping("German status", r"(?m)^Sent\b", "Gesendet"),
        keeping("icon", r"(?m)^Sent\b", "@08@"),
    ),
    (
        *(
            Mutation(f"sample {name}", False, _showing(name))
            for name in ("G2", "G3", "G4", "G5")
        ),
        replacing("another run", "Runbook test 2026-11-23", "Invoice 4711"),
        replacing("another recipient", "ops@example", "jane@example"),
        replacing("error", r"(?m)^Sent\b", "Error", "Fehler", "Blocked", ""),
        replacing("fax", "\tINT\t", "\tFAX\t"),
        replacing("reply wins", "Document sent", "535 5.7.3 unsuccessful"),
        replacing("no headings", "Status", "Colour"),
    ),
)

CONNECTION = Case(
    "connection",
    (samples.TELNET_GOOD,),
    (*COPYING[:2], TRAILING, keeping("no EHLO", r"(?s)EHLO.*", "")),
    (
        replacing("another port", " 587", " 25", " 465"),
        replacing("another host", "telnet smtp.office365", "telnet smtp.office356"),
        replacing("refused", r"(?s)Connected.*", "telnet: connection refused"),
        replacing("timed out", r"(?s)Connected.*", "Connection timed out"),
        replacing("no name", r"(?s)Trying.*", "telnet: Name or service not known"),
        replacing("nothing", r"(?s)Trying.*", ""),
    ),
)

SICF = Case(
    "sicf",
    (samples.SICF_GOOD,),
    (*COPYING, TRAILING, keeping("German", "   active", "   aktiv", ": Active")),
    (
        replacing("inactive", "   active", "   inactive", "   not active"),
        replacing("another node", "SAPconnect   SMTP", "default_host SMTP"),
        replacing("no status", "   active", ""),
    ),
)

LISTS: Sequence[Case] = (
    PROFILE,
    PARAMETER_VALUE,
    PARAMETER_LIST,
    SERVICES,
    BAR_SERVICES,
    TRUST_LIST,
    SEND_REQUESTS,
    CONNECTION,
    SICF,
)
