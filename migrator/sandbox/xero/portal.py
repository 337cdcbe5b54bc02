"""What Xero's developer portal would show: two applications, and a consumer for each signature method."""

from __future__ import annotations

import secrets
import string

from migrator.sandbox.state.portal import Credentials, new_rsa_key, random_text

_UPPER = string.ascii_uppercase + string.digits


def new_credentials() -> Credentials:
    """Fresh ones."""
    return Credentials(
        consumer_key=random_text(_UPPER, 30),
        consumer_secret=random_text(_UPPER, 30),
        rsa_consumer_key=random_text(_UPPER, 30),
        rsa_private_key=new_rsa_key(),
        public_consumer_key=random_text(_UPPER, 30),
        public_consumer_secret=random_text(_UPPER, 30),
        client_id=secrets.token_hex(16).upper(),
        client_secret=secrets.token_urlsafe(36),
        public_client_id=secrets.token_hex(16).upper(),
        jwt_key=new_rsa_key(),
    )
