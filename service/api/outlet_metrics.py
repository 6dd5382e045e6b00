"""Metrics of the outlets: how far behind each is, what it delivered, how often it failed."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from service.view.watch import Watch

_GAUGES: Final = (
    ("connected", "roomtone_outlet_connected", "1 while the outlet has its peer."),
    ("lag", "roomtone_outlet_lag_events", "Events in the log that the peer does not have yet."),
)
_COUNTS: Final = (
    ("delivered", "roomtone_outlet_delivered_events", "Events passed to the outlet since its part started."),
    ("failed", "roomtone_outlet_failures", "Times the peer could not be reached or refused."),
    ("lost", "roomtone_outlet_lost_events", "Events that went out of retention before they were delivered."),
)


def outlet_metrics(watch: Watch) -> Iterator[Metric]:
    """One time series an outlet; none while their part is down, which a gauge of its own tells."""
    yield GaugeMetricFamily(
        "roomtone_outlets_up", "1 while the part that feeds the outlets is heard.", float(watch.outlets_up)
    )
    outlets = watch.outlets
    for member, name, text in _GAUGES:
        gauge = GaugeMetricFamily(name, text, labels=("outlet",))
        for outlet, facts in outlets.items():
            gauge.add_metric((outlet,), float(facts.get(member) or 0))
        yield gauge
    for member, name, text in _COUNTS:
        counter = CounterMetricFamily(name, text, labels=("outlet",))
        for outlet, facts in outlets.items():
            counter.add_metric((outlet,), float(facts.get(member) or 0))
        yield counter
