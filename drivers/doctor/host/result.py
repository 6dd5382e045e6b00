"""What a check answers, and how all answers are told: to programs as JSON, to people as lines."""

import collections.abc

OK, WARNING, FAILED, UNKNOWN, NOT_APPLICABLE = "ok", "warning", "failed", "unknown", "not_applicable"


class CannotLook(Exception):  # noqa: N818 - it is an answer, not an error
    """A check cannot tell; the message says why."""


class Finding:
    """What one check says: `status`, what was `found`, `why` that matters, what to `do`."""

    def __init__(self, status: str, found: str, why: str = "", do: str = "") -> None:
        self.status, self.found, self.why, self.do = status, found, why, do

    def document(self, name: str) -> "dict[str, str]":
        """The finding as JSON shows it, under the id of its check."""
        return {"id": name, "status": self.status, "found": self.found, "why": self.why, "do": self.do}


def ok(found: str) -> Finding:
    """Nothing to do."""
    return Finding(OK, found)


def report(checks: "list[dict[str, str]]", nics: "list[str]") -> "dict[str, object]":
    """The findings as JSON shows them, and how many failed."""
    return {"checks": checks, "failed": failures(checks), "nics": nics}


def failures(checks: "list[dict[str, str]]") -> int:
    """How many of them failed."""
    return sum(1 for each in checks if each["status"] == FAILED)


def lines(checks: "list[dict[str, str]]") -> "collections.abc.Iterator[str]":
    """The findings for people; what does not apply is left out."""
    for each in checks:
        if each["status"] != NOT_APPLICABLE:
            yield "{:8} {:24} {}".format(each["status"], each["id"], each["found"])
            for word in ("why", "do"):
                if each[word]:
                    yield " " * 34 + word + ": " + each[word]
