"""A workbook of one sheet: what a spreadsheet opens without asking, and runs nothing of.

Only what is needed of Office Open XML (ECMA-376): text stands inline as text, never as a formula, however it begins.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape

_NAMES: Final = {"xmlns": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPES: Final = (
    f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/styles.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>'
)
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_ROOT: Final = (
    f'{_HEAD}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>'
)
_PARTS: Final = (
    f'{_HEAD}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
    f'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    "</Relationships>"
)
# 0 plain, 1 an instant, 2 the head.
_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_NAMES["xmlns"]}"><numFmts count="1"><numFmt numFmtId="164" '
    'formatCode="yyyy\\-mm\\-dd hh:mm:ss"/></numFmts><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/>'
    '<xf numFmtId="164" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>'
)
# What XML 1.0 has no way to write.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Days are counted from here: a year too many in 1900 is never reached (ECMA-376, 18.17.4.1).
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
LONGEST: Final = 32_767
"""Characters of a cell."""
ROWS: Final = 1_048_576
"""Rows of a sheet, its head among them."""


def workbook(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, sheet: str = "data") -> bytes:
    """A workbook with a head and rows; instants in UTC.

    Parameters
    ----------
    rows : iterable of sequence
        Text, numbers, booleans, aware datetimes or None; what is no finite number is left empty.
    sheet : str
        Its name, at most 31 letters and digits.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("[Content_Types].xml", _TYPES)
        parts.writestr("_rels/.rels", _ROOT)
        parts.writestr(
            "xl/workbook.xml",
            f'{_HEAD}<workbook xmlns="{_NAMES["xmlns"]}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{escape(sheet[:31])}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        parts.writestr("xl/_rels/workbook.xml.rels", _PARTS)
        parts.writestr("xl/styles.xml", _STYLES)
        with parts.open("xl/worksheets/sheet1.xml", "w") as page:
            page.write(
                f'{_HEAD}<worksheet xmlns="{_NAMES["xmlns"]}"><sheetViews><sheetView workbookViewId="0">'
                '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
                "<sheetData>".encode()
            )
            page.write(_row(columns, style=2).encode())
            for number, row in enumerate(rows):
                if number >= ROWS - 1:
                    break
                page.write(_row(row).encode())
            page.write(b"</sheetData></worksheet>")
    return out.getvalue()


def _row(cells: Sequence[Any], *, style: int = 0) -> str:
    return f"<row>{''.join(cell(each, style=style) for each in cells)}</row>"


def cell(value: Any, *, style: int = 0) -> str:
    r"""One cell.

    Examples
    --------
    >>> print(cell(1.5), cell("=1+1\x00 <b>"), cell(None), cell(float("nan")))
    <c><v>1.5</v></c> <c t="inlineStr"><is><t xml:space="preserve">=1+1 &lt;b&gt;</t></is></c> <c/> <c/>
    """
    kind = f' s="{style}"' if style else ""
    if isinstance(value, bool):
        return f'<c{kind} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c{kind}><v>{value + 0}</v></c>" if math.isfinite(value) else f"<c{kind}/>"
    if isinstance(value, datetime):
        return f'<c s="1"><v>{(value - _EPOCH).total_seconds() / 86_400!r}</v></c>'
    if value is None:
        return f"<c{kind}/>"
    text = escape(_UNWRITABLE.sub("", str(value))[:LONGEST])
    return f'<c{kind} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
