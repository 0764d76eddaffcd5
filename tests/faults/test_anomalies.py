"""The checker of histories finds every anomaly that is planted, and none in histories of a true register."""

import math
import random
from dataclasses import replace

import pytest

from tests.faults.anomalies import Act, Look, doubled, moved_twice, registers, transfers

TRUE = [
    Act("r", "read", 0.0, 1.0, 1, "first"),
    Act("r", "write", 1.1, 2.0, 2, "a", replaced=1),
    Act("r", "read", 1.2, 1.9, 1, "first"),  # while it was written: both versions may be read
    Act("r", "read", 1.2, 1.9, 2, "a"),
    Act("r", "write", 2.1, math.inf, 0, "b", replaced=2),  # never answered, and yet done
    Act("r", "read", 3.0, 3.1, 3, "b"),
    Act("r", "write", 3.2, 3.3, 4, "c", replaced=3),
    Act("other", "read", 9.0, 9.1, 1, "first"),
]
LOOKS = [
    Look(0.0, 0.1, {"a": (1, 50), "b": (1, 50)}),
    Look(0.2, 0.4, {"a": (2, 40), "b": (2, 60)}),
    Look(0.3, 0.5, {"a": (1, 50), "b": (1, 50)}),
    Look(0.6, 0.7, {"a": (3, 30), "b": (3, 70)}),
]


def test_a_true_history_has_no_anomaly():
    assert registers(TRUE) == []
    assert transfers(LOOKS, 100) == []
    assert moved_twice([("a", 2, "b", 2), ("a", 3, "b", 3)]) == []
    assert doubled([("k", "1", 201), ("k", "1", 200)], {"k": {"1"}}) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (Act("r", "read", 4.0, 4.1, 2, "a"), "after 4 had been told"),
        (Act("r", "read", 4.0, 4.1, 4, "a"), "was written as c"),
        (Act("r", "read", 4.0, 4.1, 5, "z"), "nobody wrote"),
        (Act("r", "write", 4.0, 4.1, 4, "d", replaced=3), "was made for"),
        (Act("r", "write", 4.0, 4.1, 6, "d", replaced=4), "told to replace 4"),
        (Act("r", "read", 0.1, 0.2, 2, "a"), "before it was written"),
        (Act("r", "read", 4.0, 4.1, 9, "b"), "told to replace 2"),
    ],
    ids=[
        "stale read",
        "wrong value",
        "value of nobody",
        "lost update",
        "skipped version",
        "future read",
        "wrong place",
    ],
)
def test_a_planted_anomaly_of_a_register_is_found(planted, said):
    assert any(said in one for one in registers([*TRUE, planted])), registers([*TRUE, planted])


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (Look(0.8, 0.9, {"a": (4, 20), "b": (3, 70)}), "hold 90"),
        (Look(0.8, 0.9, {"a": (3, 70), "b": (3, 30)}), "holds 30 and 70"),
        (Look(0.2, 0.9, {"a": (4, 20), "b": (1, 80)}), "each know something"),
        (Look(0.8, 0.9, {"a": (2, 40), "b": (2, 60)}), "after 6 had been seen"),
    ],
    ids=["half a transfer", "two balances", "no order", "stale look"],
)
def test_a_planted_anomaly_of_transfers_is_found(planted, said):
    assert any(said in one for one in transfers([*LOOKS, planted], 100)), transfers([*LOOKS, planted], 100)


def test_a_lost_transfer_and_a_doubled_resource_are_found():
    assert moved_twice([("a", 2, "b", 2), ("a", 2, "c", 2)]) == ["a/2 was made by 2 transfers"]
    assert "['1', '2'] were told" in doubled([("k", "1", 201), ("k", "2", 200)], {"k": {"1", "2"}})[0]
    assert doubled([("k", "1", 201), ("k", "1", 201)], {"k": {"1"}}) == ["k: made 2 times"]
    assert doubled([("k", "1", 201)], {"k": {"1", "2"}}) == ["k: ['1', '2'] are there"]
    assert doubled([("k", "1", 201)], {}) == ["k: told, and not there"]


def test_registers_that_forget_a_write_now_and_then_are_found_out():
    """A simulated register with one clock; each time one write of many is forgotten, as by a lost update."""
    dice = random.Random(7)
    for _ in range(200):
        acts, value, version, now = [], "first", 1, 0.0
        for number in range(40):
            now += 1
            if dice.random() < 0.5:
                acts.append(Act("r", "read", now, now + 0.5, version, value))
            else:
                value, version = f"v{number}", version + 1
                acts.append(Act("r", "write", now, now + 0.5, version, value, replaced=version - 1))
        assert registers(acts) == []
        writes = [place for place, act in enumerate(acts) if act.kind == "write"]
        place = dice.choice(writes[:-1])
        again = next(one for one in writes if one > place)
        spoiled = [*acts]
        spoiled[again] = replace(acts[again], version=acts[place].version, replaced=acts[place].replaced)
        assert registers(spoiled)
