"""Prometheus metrics: what the API counts itself, and what the worker's heartbeat says."""

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.api.outlet_metrics import outlet_metrics
from service.view.watch import Watch

_LABELS = ("link", "room", "nic", "source")
_COUNTS = ("received", "accepted", "gap", "late", "duplicate")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "WEBSOCKET"})


class HttpMetrics:
    """Requests by route template (never by path: that would let callers make up time series)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "roomtone_http_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "roomtone_http_request_seconds",
            "Time to answer; for the alert stream, how long it was open.",
            ("route",),
            registry=self.registry,
        )
        self.streams = Gauge(
            "roomtone_stream_clients", "Clients of the alert stream.", registry=self.registry
        )
        self.overflows = Counter(
            "roomtone_stream_overflows_total",
            "Stream clients closed because they could not keep up.",
            registry=self.registry,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(int(status))).inc()
        self._seconds.labels(route).observe(seconds)

    def render(self, watch: Watch, event_sequence: int, clients: int) -> bytes:
        """Everything in Prometheus' text format."""
        self.streams.set(clients)
        beat = CollectorRegistry()
        beat.register(_HeartbeatMetrics(watch, event_sequence))
        return generate_latest(self.registry) + generate_latest(beat)


class _HeartbeatMetrics(Collector):
    """The worker's newest heartbeat as metrics."""

    def __init__(self, watch: Watch, event_sequence: int) -> None:
        self._watch = watch
        self._event_sequence = event_sequence

    def collect(self) -> Iterator[Metric]:
        watch = self._watch
        yield GaugeMetricFamily("roomtone_worker_up", "1 while the worker is heard.", float(watch.worker_up))
        yield CounterMetricFamily("roomtone_events", "Events ever appended to the log.", self._event_sequence)
        yield GaugeMetricFamily(
            "roomtone_links_unassigned", "Senders that belong to no link.", len(watch.unassigned)
        )
        counters = CounterMetricFamily("roomtone_worker", "The worker's own counts.", labels=("name",))
        for name, value in (watch.worker.get("counters") or {}).items():
            counters.add_metric((name,), value)
        yield counters
        yield from _link_metrics(watch)
        yield from outlet_metrics(watch)


def _link_metrics(watch: Watch) -> Iterator[Metric]:
    links = watch.links
    for name in _COUNTS:
        family = CounterMetricFamily(
            f"roomtone_link_frames_{name}", f"Frames of the link: {name}.", labels=_LABELS
        )
        for link, facts in links.items():
            family.add_metric(_labels(link, facts), facts.get(name) or 0)
        yield family
    rejected = CounterMetricFamily(
        "roomtone_link_frames_rejected", "Frames refused, by reason.", labels=(*_LABELS, "reason")
    )
    rate = GaugeMetricFamily("roomtone_link_rate_hz", "Frames per second of capture time.", labels=_LABELS)
    age = GaugeMetricFamily(
        "roomtone_link_last_received_timestamp_seconds", "Unix time of the newest frame.", labels=_LABELS
    )
    for link, facts in links.items():
        labels = _labels(link, facts)
        for reason, count in (facts.get("rejected") or {}).items():
            rejected.add_metric((*labels, reason), count)
        if facts.get("rate_hz") is not None:
            rate.add_metric(labels, facts["rate_hz"])
        if facts.get("last_received_ns"):
            age.add_metric(labels, facts["last_received_ns"] / 1e9)
    yield from (rejected, rate, age, *_drift_metrics(watch))


def _drift_metrics(watch: Watch) -> Iterator[Metric]:
    """Drift of links from their calibration, and of the link of a room that has drifted most."""
    of_link = GaugeMetricFamily(
        "roomtone_link_drift_score", "Drift from the empty-room baseline, 0 to 1.", labels=_LABELS
    )
    of_room = GaugeMetricFamily(
        "roomtone_room_drift_score", "Drift of the room's link that drifted most.", labels=("room",)
    )
    most: dict[str, float] = {}
    for link, score in watch.drift.items():
        facts = watch.links.get(link, {})
        of_link.add_metric(_labels(link, facts), score)
        if facts.get("room"):
            most[facts["room"]] = max(most.get(facts["room"], 0.0), score)
    for room, score in most.items():
        of_room.add_metric((room,), score)
    yield from (of_link, of_room)


def _labels(link: str, facts: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return link, facts.get("room") or "", facts.get("nic") or "", facts.get("source") or ""
