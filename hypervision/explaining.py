"""Why something was refused, in French: the sentence is kept in English and told anew with the same facts.

The quarantine, the logs and the API hold one English sentence for each refusal. A screen shows it in the language of
whoever looks: it is recognised among the sentences that the platform writes, its facts are taken out of it, and the
same sentence of the other language says them. Nothing of it is stored, and what is not recognised (a decoder of one's
own, an older version) is shown as it was written.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from hypervision.explained import SENTENCES, WORDS

_FACT: Final = re.compile(r"\{(\w+)\}")
# What stands before a sentence: the line of a file, and the datastream that it names.
_LINE: Final = re.compile(r"line (\d+): ")
_NAMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}/\w+: ")
_AFTER: Final = (
    (re.compile(r"(.*) \(refused again (\d{4}-\d\d-\d\d \d\d:\d\d) UTC\)", re.DOTALL), "refusé de nouveau {} UTC"),
    (re.compile(r"(.*) \(and (\d+) more\)", re.DOTALL), "et {} autres"),
    (re.compile(r"(.*) \(its result is (\S+)\)", re.DOTALL), "sa mesure est {}"),
)
# French has a space that no line breaks at before these signs and before a unit.
_BOUND: Final = re.compile(r" (?=[:;!?»%])|(?<=\}) (?=(?:s|min)\b)")
# A sentence with semicolons of its own has at most so many parts.
_PARTS: Final = 3


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    french: str


def _form(english: str, french: str) -> _Form:
    # Of a doubled brace, which stands for a brace, one is left: it and its text are matched like a fact.
    parts = _FACT.split(english)
    text = "".join(f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    return _Form(re.compile(text, re.DOTALL), _BOUND.sub("\u00a0", french))


_FORMS: Final = tuple(_form(english, french) for english, french in SENTENCES)


@lru_cache(maxsize=4096)
def explained(detail: str, language: str) -> str:
    r"""The detail of a refusal in a language.

    Parameters
    ----------
    detail : str
        As it is kept: one sentence, or several with semicolons between.
    language : str
        `fr`; in any other it stays as it is.

    Examples
    --------
    >>> explained("line 7: p1/flow of 2024-01-01 has 1.0 at this time already, 2.0 was refused", "fr")
    'ligne 7\xa0: p1/flow du 2024-01-01 vaut déjà 1.0 à cet instant, 2.0 est refusé'
    >>> explained("seq is 'x', not a whole number from 0; no sentence of ours", "fr")
    "seq vaut 'x', qui n’est pas un entier à partir de 0\xa0; no sentence of ours"
    """
    return _several(detail) if language == "fr" else detail


def is_known(detail: str) -> bool:
    """Whether one sentence is among those that can be told in French."""
    return _one(detail) is not None


def _several(detail: str) -> str:
    for pattern, french in _AFTER[:2]:
        found = pattern.fullmatch(detail)
        if found is not None:
            return f"{_several(found[1])} ({french.format(found[2])})"
    pieces, told, at = detail.split("; "), [], 0
    while at < len(pieces):
        for many in range(min(_PARTS, len(pieces) - at), 0, -1):
            one = _one("; ".join(pieces[at : at + many]))
            if one is not None:
                break
        told.append(pieces[at] if one is None else one)
        at += many
    return "\u00a0; ".join(told)


def _one(sentence: str) -> str | None:
    before = ""
    line = _LINE.match(sentence)
    if line is not None:
        before, sentence = f"ligne {line[1]}\u00a0: ", sentence[line.end() :]
        named = _NAMED.match(sentence)
        if named is not None:
            before, sentence = f"{before}{named[0][:-2]}\u00a0: ", sentence[named.end() :]
    after = ""
    pattern, french = _AFTER[2]
    told = pattern.fullmatch(sentence)
    if told is not None:
        sentence, after = told[1], f" ({french.format(told[2])})"
    sentence = sentence.removesuffix(".")
    for form in _FORMS:
        found = form.pattern.fullmatch(sentence)
        if found is not None:
            facts = {name: WORDS.get(value, value) for name, value in found.groupdict().items()}
            return before + form.french.format(**facts) + after
    return None
