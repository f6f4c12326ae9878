"""Scores: what they come to when a worker dies, and how they add up and travel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from web_workers.counts.scores import Closed, Key, Scores, parsed, total
from web_workers.counts.tally import AGE_BOUNDS_S, Account, Tally

KEYS = st.tuples(
    st.sampled_from(["sent", "skipped", "viewers", "waiting", "closed"]),
    st.text(max_size=4),
    st.sampled_from(["stream", "events"]),
)
NUMBERS: st.SearchStrategy[dict[Key, int]] = st.dictionaries(KEYS, st.integers(0, 2**70))
SCORES = st.builds(Scores, NUMBERS, NUMBERS)


@given(SCORES)
def test_scores_travel_as_text_unchanged(scores: Scores) -> None:
    assert parsed(scores.text()) == scores


@given(st.lists(SCORES, max_size=4))
def test_adding_up_loses_nothing(several: list[Scores]) -> None:
    added = total(several)
    assert sum(added.counts.values()) == sum(sum(each.counts.values()) for each in several)
    assert sum(added.now.values()) == sum(sum(each.now.values()) for each in several)


@given(SCORES)
def test_a_death_takes_nothing_back(scores: Scores) -> None:
    settled = scores.settled()
    assert settled.now == {}
    assert all(settled.counts[key] >= number for key, number in scores.counts.items())
    assert settled.settled() == settled


def test_a_dead_workers_viewers_were_closed_and_will_not_get_what_they_waited_for() -> None:
    tally = Tally()
    for _ in range(3):
        tally.joined()
    tally.left(Account(sent=5, skipped=1, waiting=1, bytes=50), Closed.LEFT)
    present = [Account(sent=7, skipped=2, waiting=1, bytes=70), Account(sent=8, bytes=80)]
    scores = tally.scores("front", "stream", len(present), present)
    of = ("front", "stream")
    assert scores.now == {("viewers", *of): 2, ("waiting", *of): 1}
    assert scores.counts["skipped", *of] == 4
    settled = scores.settled().counts
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
    counts = tally.scores("front", "stream", 0, []).counts
    bounds = [*(bound * 1e9 for bound in AGE_BOUNDS_S), float("inf")]
    for number, bound in enumerate(bounds):
        below = sum(counts.get(("age", "front", "stream", str(i)), 0) for i in range(number + 1))
        assert below == sum(age_ns <= bound for age_ns in ages)
    assert counts["age_ns", "front", "stream"] == sum(ages)
