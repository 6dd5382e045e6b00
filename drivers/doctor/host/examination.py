"""All checks, in the order in which they are told."""

import collections.abc

from . import atheros, esp32, every, intel5300, nexmon
from .check import Check
from .look import Host
from .result import NOT_APPLICABLE, UNKNOWN, CannotLook, Finding

CHECKS = [each for kind in (every, intel5300, atheros, nexmon, esp32) for each in kind.CHECKS.all]


def examine(host: Host, nics: "collections.abc.Iterable[str]") -> "list[dict[str, str]]":
    """Every check's finding, in order; those of other NICs than `nics` are not_applicable."""
    wanted = {"host"} | set(nics)
    return [_one(each, host, wanted).document(each.id) for each in CHECKS]


def _one(each: Check, host: Host, wanted: "set[str]") -> Finding:
    family = each.id.split(".")[0]
    if family not in wanted:
        return Finding(NOT_APPLICABLE, "no {} looked at".format(family))
    try:
        return each.run(host)
    except CannotLook as reason:
        return Finding(UNKNOWN, str(reason), "it could not be looked at")
