"""The verdict over a client's record: what it must catch, and what it must let pass."""

from tests.failover.ledger import Attempt, judge, longest_gap, parse, rivals, stalls, timelines

NODES = ("node-0", "node-1")


def attempt(number: int, ended: float, outcome: str = "acked", timeline: int = 1, source: str = "writer-0") -> Attempt:
    return Attempt(source, number, ended - 0.01, ended, outcome, timeline if outcome == "acked" else 0)


def acks(*ends: float) -> list[Attempt]:
    return [attempt(number, ended) for number, ended in enumerate(ends, 1)]


def test_a_record_is_read_in_the_order_of_its_ends() -> None:
    record = "writer-1\t1\t10.0\t12.0\tunknown\t0\nwriter-0\t7\t10.5\t11.0\tacked\t3\n"
    assert parse(record) == [
        Attempt("writer-0", 7, 10.5, 11.0, "acked", 3),
        Attempt("writer-1", 1, 10.0, 12.0, "unknown", 0),
    ]


def test_what_was_acknowledged_is_there_once_and_what_broke_off_may_be_there_or_not() -> None:
    record = [attempt(1, 1), attempt(2, 2, "unknown"), attempt(3, 3, "unknown"), attempt(4, 4, "refused")]
    verdict = judge(record, {("writer-0", 1): 1, ("writer-0", 3): 1})
    assert verdict.is_clean
    assert verdict.outcomes == {"acked": 1, "unknown": 2, "refused": 1}


def test_an_acknowledged_write_that_is_not_there_is_lost() -> None:
    verdict = judge(acks(1, 2), {("writer-0", 1): 1})
    assert verdict.lost == [("writer-0", 2)]
    assert not verdict.is_clean


def test_a_write_that_is_there_twice_is_doubled_also_if_it_broke_off() -> None:
    verdict = judge([attempt(1, 1), attempt(2, 2, "unknown")], {("writer-0", 1): 2, ("writer-0", 2): 2})
    assert verdict.doubled == [("writer-0", 1), ("writer-0", 2)]
    assert not verdict.is_clean


def test_a_write_that_was_refused_or_never_sent_must_not_be_there() -> None:
    verdict = judge([attempt(1, 1, "refused")], {("writer-0", 1): 1, ("writer-0", 2): 1})
    assert verdict.false == [("writer-0", 1), ("writer-0", 2)]
    assert not verdict.is_clean


def test_the_gap_is_the_longest_time_without_an_acknowledgement_from_the_fault_on() -> None:
    record = acks(1.0, 9.0, 10.0, 14.5, 14.6, 15.0)
    assert longest_gap(record, since=10.1, until=15.1) == 4.5


def test_what_is_not_acknowledged_ends_no_gap() -> None:
    record = [attempt(1, 1), attempt(2, 3, "refused"), attempt(3, 4, "unknown"), attempt(4, 6)]
    assert longest_gap(record, since=1.5, until=6.5) == 5


def test_a_gap_that_nothing_ends_lasts_until_the_end() -> None:
    assert longest_gap(acks(1.0), since=1.5, until=9.0) == 8.0
    assert longest_gap([], since=1.5, until=9.0) == 7.5


def test_each_source_has_a_stall_of_its_own() -> None:
    record = [
        attempt(1, 1, source="a"),
        attempt(1, 2, source="b"),
        attempt(2, 3, source="b"),
        attempt(2, 5, source="a"),
    ]
    assert stalls(record, since=0, until=5.5) == {"a": 4, "b": 2.5}


def test_only_acknowledgements_of_the_span_tell_a_timeline() -> None:
    record = [attempt(1, 1), attempt(2, 2, timeline=2), attempt(3, 3, timeline=3), attempt(4, 4, "unknown")]
    assert timelines(record, since=2, until=3) == {2}


def test_primaries_that_follow_each_other_are_no_rivals() -> None:
    record = [
        attempt(1, 1, timeline=1, source="node-0"),
        attempt(1, 2, timeline=2, source="node-1"),
        attempt(2, 3, timeline=3, source="node-0"),
    ]
    assert rivals(record, NODES) == []


def test_a_write_sent_before_the_new_primary_answered_proves_no_rival() -> None:
    late = Attempt("writer-0", 1, sent=1.0, ended=3.0, outcome="acked", timeline=1)
    assert rivals([attempt(2, 2, timeline=2, source="writer-1"), late], NODES) == []


def test_an_old_primary_that_accepts_a_write_after_the_new_one_did_is_a_rival() -> None:
    old, new = attempt(1, 3, timeline=1, source="writer-0"), attempt(1, 2, timeline=2, source="writer-1")
    assert rivals([new, old], NODES) == [(old, new)]


def test_two_nodes_that_accept_writes_on_one_timeline_are_rivals() -> None:
    one, other = attempt(1, 1, source="node-0"), attempt(1, 2, source="node-1")
    assert rivals([one, other], NODES) == [(one, other)]
