"""A small server for each provider that no built-in profile is like."""

from tests.shapes.providers.concur import Concur
from tests.shapes.providers.etsy import Etsy
from tests.shapes.providers.fitbit import Fitbit
from tests.shapes.providers.google import Google
from tests.shapes.providers.pipedrive import Pipedrive
from tests.shapes.providers.slack import Slack
from tests.shapes.providers.square import Square
from tests.shapes.providers.withings import Withings
from tests.shapes.providers.zid import Zid
from tests.shapes.providers.zoho import Zoho
from tests.shapes.server import Provider

PROVIDERS: tuple[type[Provider], ...] = (
    Concur,
    Etsy,
    Fitbit,
    Google,
    Pipedrive,
    Slack,
    Square,
    Withings,
    Zid,
    Zoho,
)
__all__ = [
    "PROVIDERS",
    "Concur",
    "Etsy",
    "Fitbit",
    "Google",
    "Pipedrive",
    "Slack",
    "Square",
    "Withings",
    "Zid",
    "Zoho",
]
