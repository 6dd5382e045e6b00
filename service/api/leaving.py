"""Routes that will go: told in headers on every answer, so that callers find out before they are gone.

`Deprecation` after RFC 9745, `Sunset` after RFC 8594, `Link` to what takes the route's place. What is under
`/v1` stays as it is: what would break callers comes under the next version, and the routes it replaces are
marked so for a year.
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from starlette.types import Scope

LEAVING_MARK: Final = "x-roomtone-leaving"


def leaving(since: datetime, until: datetime, successor: str) -> dict[str, str]:
    """Headers of a route that is deprecated `since` then and gone after `until` (UTC)."""
    return {
        "Deprecation": f"@{since.timestamp():.0f}",
        "Sunset": format_datetime(until, usegmt=True),
        "Link": f'<{successor}>; rel="successor-version"',
    }


def leaving_headers(scope: Scope) -> Mapping[str, str]:
    """Headers that the route of this request adds to every answer."""
    extra = getattr(scope.get("route"), "openapi_extra", None) or {}
    found: Mapping[str, str] = extra.get(LEAVING_MARK, {})
    return found
