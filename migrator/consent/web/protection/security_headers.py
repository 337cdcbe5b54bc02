"""What every answer tells browsers that its page may do. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.consent.public_url import PublicUrl


def security_headers(public_url: PublicUrl) -> Mapping[str, str]:
    """What every answer says to browsers: nothing runs, nothing is kept, nobody frames it or learns its URL.

    No ``form-action``: browsers hold all redirects of a form against it, and a provider may send users
    through hosts that nobody here knows.
    """
    policy = (
        "default-src 'none'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    sent = {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "X-Robots-Tag": "noindex, nofollow",
        "Cache-Control": "no-store",
    }
    if public_url.https:
        sent["Strict-Transport-Security"] = "max-age=31536000"
    return sent
