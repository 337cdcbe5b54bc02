"""Reading answers in XML, which come from outside: without entities, which could blow up or lead away."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from migrator.providers.interface import Answer


def texts(answer: Answer, name: str) -> Iterator[str]:
    """The texts of the elements of a name, in whatever namespace and depth; none if it is no XML."""
    try:
        root: Element = fromstring(answer.body)
    except (ParseError, DefusedXmlException, ValueError, LookupError):  # also for unknown encodings
        return
    for element in root.iter():
        text = (element.text or "").strip()  # what is written for people has line ends around it
        if element.tag.rpartition("}")[2] == name and text:
            yield text
