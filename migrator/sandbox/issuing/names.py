"""Invented names, for tokens that look like a real application's connections."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True)
class Country:
    """How people and companies are called somewhere."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    places: tuple[str, ...]
    trades: tuple[str, ...]
    legal_forms: tuple[str, ...]
    practices: tuple[str, ...]
    """What an accounting or bookkeeping practice calls itself."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


COUNTRIES = (
    Country(  # New Zealand
        _words("Aroha, Tāne, Hine, Wiremu, Moana, Charlotte, Liam, Anahera, Jack, Mereana"),
        _words("Ngata, Parata, Williams, Te Rangi, Harris, Tūhoe, McLeod, Kingi, Faleafa, Campbell"),
        _words("Kauri, Harbour, Waimea, Tūī, Southern Alps, Ōtaki, Pōhutukawa, Cook Strait, Rimu, Kererū"),
        _words("Joinery, Plumbing, Dairy, Honey, Roofing, Surf School, Orchards, Engineering, Motors"),
        _words("Ltd, Limited, Trust, & Sons Ltd, Co-operative"),
        _words("Chartered Accountants, Bookkeeping, Accounting & Advisory"),
    ),
    Country(  # Australia
        _words("Olivia, Jarrah, Mia, Noah, Kirra, Cooper, Ruby, Ethan, Priya, Angus"),
        _words("O'Brien, Nguyen, Walker, Rossi, Singh, Taylor, Karadjis, Murray, Chen, Doyle"),
        _words("Bondi, Wattle, Red Gum, Barossa, Coral Bay, Jacaranda, Snowy River, Fremantle, Banksia"),
        _words("Electrical, Coffee Roasters, Landscapes, Physiotherapy, Cellars, Removals, Solar, Bakery"),
        _words("Pty Ltd, Pty. Ltd., Trust, Partnership, Group Pty Ltd"),
        _words("Accountants, Tax & BAS Services, Business Advisers"),
    ),
    Country(  # United Kingdom and Ireland
        _words("Amelia, Oliver, Niamh, Callum, Isla, Rhys, Zainab, George, Siân, Hamish"),
        _words("Smith, Begum, MacDonald, Davies, Ó Súilleabháin, Patel, Wright, Fitzgerald, Okafor, Evans"),
        _words("Thames, Highland, Llandaff, Mersey, Cotswold, Liffey, Northgate, Pennine, St Agnes, Castle"),
        _words("Brewery, Lettings, Ironmongers, Dental, Catering, Books, Cycles, Interiors, Haulage"),
        _words("Ltd, Limited, LLP, CIC, & Daughters Ltd"),
        _words("Chartered Certified Accountants, Payroll & Bookkeeping, Tax LLP"),
    ),
    Country(  # United States and Canada
        _words("Emily, Jordan, Mateo, Chloé, Tyler, Aaliyah, Étienne, Grace, Logan, Mei"),
        _words("Johnson, Tremblay, Garcia, Kim, Whitehorse, Miller, Gagnon, Brown, Lopez, Peterson"),
        _words("Prairie, Lakeshore, Blue Ridge, Bay Street, Mont-Royal, Cascade, Maple, Sonoran, Brooklyn"),
        _words("Yoga, Outfitters, HVAC, Pet Care, Printing, Software, Maple Products, Auto Body, Florists"),
        _words("Inc., LLC, Corp., Inc, Ltée"),
        _words("CPA, Bookkeeping Services, Tax Advisors"),
    ),
    Country(  # South Africa and Kenya
        _words("Thandiwe, Sipho, Lerato, Johan, Amina, Kwame, Nomsa, Pieter, Wanjiru, Otieno"),
        _words("Dlamini, van der Merwe, Nkosi, Botha, Mwangi, Naidoo, Khumalo, Kamau, Odhiambo, Pillay"),
        _words("Karoo, Table Bay, Baobab, Drakensberg, Rift Valley, Umhlanga, Savanna, Mombasa, Jozi"),
        _words("Safaris, Textiles, Security, Vineyards, Tea Estates, Logistics, Clinics, Hardware"),
        _words("(Pty) Ltd, CC, Ltd, NPC, & Partners"),
        _words("Registered Auditors, Bookkeepers, Tax Practitioners"),
    ),
    Country(  # Germany, Austria and Switzerland
        _words("Jürgen, Anneliese, Lukas, Özlem, Käthe, Sebastian, Mareike, Björn, Urs, Gökhan"),
        _words("Müller, Schröder, Yildirim, Groß, Weiß, Hübner, Köhler, Zürcher, Lang, Öztürk"),
        _words("Schwarzwald, Elbe, Alpen, Süd, Rhein-Main, Zürisee, Prater, Müritz, Ostsee, Grüntal"),
        _words("Bäckerei, Elektrotechnik, Gartenbau, Verlag, Werkzeugbau, Möbel, Mühle, Reisen"),
        _words("GmbH, AG, e. K., GmbH & Co. KG, OHG"),
        _words("Steuerberatung, Treuhand AG, Buchhaltung"),
    ),
    Country(  # Singapore, Hong Kong and Malaysia
        _words("Wei Ling, Arjun, Siti, Jia Hao, Kavitha, Ahmad, Mei Yee, Daniel, Nurul, Kok Wai"),
        _words("Tan, Lim, binti Hassan, Wong, Krishnan, Lee, Chua, Rahman, Ho, Goh"),
        _words("Orchid, Marina, Lion City, Kowloon, Penang, Raffles, Jade, Straits, Golden Bridge, Kinabalu"),
        _words("Trading, Noodles, Shipping, Tuition Centre, Optics, Batik, Electronics, Events"),
        _words("Pte. Ltd., Sdn. Bhd., Limited, LLP, Holdings Pte Ltd"),
        _words("Corporate Services, Public Accountants, Accounting Pte Ltd"),
    ),
    Country(  # Spain, France and Denmark
        _words("Begoña, Søren, François, Inés, Åse, Hélène, Íñigo, Mikkel, Zoé, José María"),
        _words("Muñoz, Sørensen, Lefèvre, Ibáñez, Åkjær, D'Artois, Núñez, Kjærgaard, Dubois, Peña"),
        _words("Costa Brava, Nørrebro, Bretagne, Ría Baja, Øresund, Provence, Montaña, L'Estuaire, Sjælland"),
        _words("Cerámica, Møbler, Fromages, Aceites, Cykler, Vins, Diseño, Bageri, Hôtels"),
        _words("S.L., ApS, SARL, A/S, S.A."),
        _words("Asesores, Revision ApS, Expertise comptable"),
    ),
)

_UNDECOMPOSED = {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae"}
"""What Unicode does not decompose into a letter and its accent."""


def person(random: Random, country: Country) -> str:
    """First and last name."""
    return f"{random.choice(country.first_names)} {random.choice(country.last_names)}"


def organisation(random: Random, country: Country) -> str:
    """A company; some bear their owner's name."""
    owner = country.last_names if random.random() < 0.3 else country.places  # noqa: PLR2004 - just a share
    return f"{random.choice(owner)} {random.choice(country.trades)} {random.choice(country.legal_forms)}"


def practice(random: Random, country: Country) -> str:
    """An accounting or bookkeeping practice."""
    partners = random.sample(country.last_names, k=2)
    return f"{' & '.join(partners)} {random.choice(country.practices)}"


def email(person_name: str, organisation_name: str) -> str:
    """An address of that person there, under a domain that nobody can register (RFC 2606)."""
    return f"{_slug(person_name, '.')}@{_slug(organisation_name, '-')}.example"


def _slug(text: str, joiner: str) -> str:
    for letter, plain in _UNDECOMPOSED.items():
        text = text.replace(letter, plain)
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().replace("'", "")
    return re.sub(r"[^a-z0-9]+", joiner, letters).strip(joiner)
