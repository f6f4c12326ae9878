"""Scores: what they come to when a worker dies, and how they add up and travel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from web_workers.counts.tally import AGE_BOUNDS_S, Delivery, Tally
from web_workers.counts.worker_counts import Closed, Key, WorkerCounts, parsed, total

KEYS = st.tuples(
    st.sampled_from(["sent", "skipped", "viewers", "waiting", "closed"]),
    st.text(max_size=4),
    st.sampled_from(["stream", "events"]),
)
NUMBERS: st.SearchStrategy[dict[Key, int]] = st.dictionaries(KEYS, st.integers(0, 2**70))
SCORES = st.builds(WorkerCounts, NUMBERS, NUMBERS)


@given(SCORES)
def test_counts_travel_as_text_unchanged(worker_counts: WorkerCounts) -> None:
    assert parsed(worker_counts.text()) == worker_counts


@given(st.lists(SCORES, max_size=4))
def test_adding_up_loses_nothing(several: list[WorkerCounts]) -> None:
    added = total(several)
    assert sum(added.counts.values()) == sum(sum(each.counts.values()) for each in several)
    assert sum(added.now.values()) == sum(sum(each.now.values()) for each in several)


@given(SCORES)
def test_a_death_takes_nothing_back(worker_counts: WorkerCounts) -> None:
    settled = worker_counts.settled()
    assert settled.now == {}
    assert all(settled.counts[key] >= number for key, number in worker_counts.counts.items())
    assert settled.settled() == settled


def test_a_dead_workers_viewers_were_closed_and_will_not_get_what_they_waited_for() -> None:
    tally = Tally()
    for _ in range(3):
        tally.joined()
    tally.left(Delivery(sent=5, skipped=1, waiting=1, bytes=50), Closed.LEFT)
    present = [Delivery(sent=7, skipped=2, waiting=1, bytes=70), Delivery(sent=8, bytes=80)]
    worker_counts = tally.worker_counts("front", "stream", len(present), present)
    of = ("front", "stream")
    assert worker_counts.now == {("viewers", *of): 2, ("waiting", *of): 1}
    assert worker_counts.counts["skipped", *of] == 4
    settled = worker_counts.settled().counts
    assert settled["sent", *of] == 20
    assert settled["skipped", *of] == 5
    assert settled["bytes", *of] == 200
    assert settled["closed", *of, "left"] == 1
    assert settled["closed", *of, "worker-died"] == 2
    assert settled["accepted", *of] == 3


@given(st.lists(st.integers(0, 10**11)))
def test_every_age_is_in_the_bucket_whose_bound_it_does_not_exceed(ages: list[int]) -> None:
    tally = Tally()
    for age_ns in ages:
        tally.aged(age_ns)
    counts = tally.worker_counts("front", "stream", 0, []).counts
    bounds = [*(bound * 1e9 for bound in AGE_BOUNDS_S), float("inf")]
    for number, bound in enumerate(bounds):
        below = sum(counts.get(("age", "front", "stream", str(i)), 0) for i in range(number + 1))
        assert below == sum(age_ns <= bound for age_ns in ages)
    assert counts["age_ns", "front", "stream"] == sum(ages)
