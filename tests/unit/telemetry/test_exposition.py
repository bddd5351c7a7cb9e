"""What is written is what Prometheus' own parser reads, whatever the labels hold."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.support.command_line import HOSTILE
from zen_agents.telemetry.exposition import Counter, Histogram, Metric, Sample, exposition

TEXT = st.text(max_size=30) | st.just(HOSTILE) | st.sampled_from(['"', "\\", "\n", "\\n", '"}\n# x'])


@given(st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_any_label_comes_back_as_it_was(values: dict[str, float]) -> None:
    samples = [Sample(value, {"target": label}) for label, value in values.items()]
    text = exposition([Metric("zen_agents_x", "gauge", "Something.", samples)])
    (family,) = text_string_to_metric_families(text)
    assert (family.name, family.type, family.documentation) == ("zen_agents_x", "gauge", "Something.")
    assert [sample.labels["target"] for sample in family.samples] == list(values)
    assert [sample.value for sample in family.samples] == list(values.values())


def test_a_counter_keeps_so_many_apart_and_counts_the_rest_together() -> None:
    counter = Counter("rule", "reason", most=2)
    for rule in ("a", "b", "a", "c", "d"):
        counter.add(rule, "held")
    found = {sample.labels["rule"]: sample.value for sample in counter.samples()}
    assert found == {"a": 2.0, "b": 1.0, "(other)": 2.0}


def test_a_histogram_is_cumulative_and_ends_with_all_of_them() -> None:
    histogram = Histogram("action")
    for seconds in (0.05, 0.3, 4.0, 5000.0):
        histogram.observe(seconds, "restart_service")
    text = exposition([Metric("zen_agents_action_duration_seconds", "histogram", "How long.", histogram.samples())])
    (family,) = text_string_to_metric_families(text)
    buckets = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert (buckets["0.1"], buckets["0.5"], buckets["5"], buckets["900"], buckets["+Inf"]) == (1, 2, 3, 3, 4)
    assert list(buckets.values()) == sorted(buckets.values())
    ends = {s.name.rpartition("_")[2]: s.value for s in family.samples if not s.name.endswith("_bucket")}
    assert (ends["count"], ends["sum"]) == (4, 5004.35)
