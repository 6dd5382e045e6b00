"""Whom the stream trusts: the same as the requests do."""

import ssl


def context_of(url: str, verify: ssl.SSLContext | bool) -> ssl.SSLContext | None:
    """The TLS context for this address; None where there is no TLS."""
    if not url.startswith("https"):
        return None
    if isinstance(verify, ssl.SSLContext):
        return verify
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
