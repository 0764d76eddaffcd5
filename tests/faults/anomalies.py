"""What concurrent clients did and were told, and whether one record could have told it to them.

A history is a list of acts with the moments at which each was asked and answered. The checks know nothing of how the
record works. Versions make linearizability easy to decide: a register's writes are ordered by the versions that they
made, so a history of one register is linearizable when every write replaced the version that it was told to replace,
each version was made once, a read of a version gives what made it, and nothing that ended before another began saw
a later version than it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Act:
    """One read or write of a register.

    register: which. kind: "read" or "write". began_s, ended_s: when it was asked and answered; `ended_s` is
    infinite and `version` 0 when it was never answered. version: what was read or made. value: the text read or
    written. replaced: the version that a write was told to replace.
    """

    register: str
    kind: str
    began_s: float
    ended_s: float
    version: int
    value: str
    replaced: int = 0


def registers(acts: Iterable[Act]) -> list[str]:
    """Anomalies of registers that are written with If-Match and read."""
    of: dict[str, list[Act]] = {}
    for act in acts:
        of.setdefault(act.register, []).append(act)
    return [f"{name}: {what}" for name, own in of.items() for what in (*_values(own), *_order(own))]


def _values(acts: list[Act]) -> list[str]:
    """Versions that were made twice, made of another than was named, or read with a value that nobody gave them."""
    wrong = []
    made: dict[int, Act] = {}
    unanswered = {act.value: act for act in acts if act.kind == "write" and not act.version}
    for act in acts:
        if act.kind == "write" and act.version:
            if act.version in made:
                wrong.append(f"version {act.version} was made for {made[act.version].value} and for {act.value}")
            if act.version != act.replaced + 1:
                wrong.append(f"{act.value} replaced {act.version - 1} but was told to replace {act.replaced}")
            made[act.version] = act
    for act in acts:
        if act.kind != "read":
            continue
        source = made.get(act.version) or unanswered.get(act.value)
        if source is None:
            if act.version > 1:  # the first version is made before the clients begin
                wrong.append(f"version {act.version} reads {act.value}, which nobody wrote")
        elif source.value != act.value:
            wrong.append(f"version {act.version} reads {act.value} and was written as {source.value}")
        elif source.began_s > act.ended_s:
            wrong.append(f"version {act.version} was read before it was written")
        elif not source.version and act.version != source.replaced + 1:
            wrong.append(f"{act.value} made {act.version} but was told to replace {source.replaced}")
    return wrong


def _order(acts: list[Act]) -> list[str]:
    """Acts that saw an older version than another that had ended before they began."""
    wrong = []
    answered = [act for act in acts if act.version]
    ends = sorted(answered, key=lambda act: act.ended_s)
    newest, taken = 0, 0
    for act in sorted(answered, key=lambda act: act.began_s):
        while taken < len(ends) and ends[taken].ended_s < act.began_s:
            newest = max(newest, ends[taken].version)
            taken += 1
        if act.version < newest + (act.kind == "write"):
            wrong.append(f"a {act.kind} gave version {act.version} after {newest} had been told")
    return wrong


@dataclass(frozen=True, slots=True)
class Look:
    """What one request saw of all accounts: the version and the balance of each."""

    began_s: float
    ended_s: float
    accounts: dict[str, tuple[int, int]]


def transfers(looks: Iterable[Look], total: int) -> list[str]:
    """Looks at all accounts at once that miss something or do not agree with each other on an order."""
    wrong = []
    kept = sorted(looks, key=lambda look: look.began_s)
    balances: dict[tuple[str, int], int] = {}
    for look in kept:
        seen = sum(balance for _, balance in look.accounts.values())
        if seen != total:
            wrong.append(f"the accounts hold {seen}, not {total}: {look.accounts}")
        for name, (version, balance) in look.accounts.items():
            if balances.setdefault((name, version), balance) != balance:
                wrong.append(f"{name} at {version} holds {balances[name, version]} and {balance}")
    # Snapshots have an order: of two, one is at least as new in every account; and it is that of time.
    ordered = sorted(kept, key=lambda look: sum(version for version, _ in look.accounts.values()))
    for before, after in pairwise(ordered):
        if any(after.accounts[name][0] < version for name, (version, _) in before.accounts.items()):
            wrong.append(f"two looks each know something that the other does not: {before.accounts}, {after.accounts}")
    last_end: list[tuple[float, int]] = sorted((look.ended_s, _age(look)) for look in kept)
    newest, taken = 0, 0
    for look in kept:
        while taken < len(last_end) and last_end[taken][0] < look.began_s:
            newest = max(newest, last_end[taken][1])
            taken += 1
        if _age(look) < newest:
            wrong.append(f"a look saw {_age(look)} changes after {newest} had been seen")
    return wrong


def _age(look: Look) -> int:
    return sum(version for version, _ in look.accounts.values())


def moved_twice(done: Iterable[tuple[str, int, str, int]]) -> list[str]:
    """Transfers that both said they made the same version of an account: (account, version, account, version)."""
    made = Counter(place for one in done for place in ((one[0], one[1]), (one[2], one[3])))
    return [f"{name}/{version} was made by {count} transfers" for (name, version), count in made.items() if count > 1]


def doubled(told: Iterable[tuple[str, str, int]], carried: dict[str, set[str]]) -> list[str]:
    """Criteria of conditional creates with more than one resource.

    told: (criterion, id, status) of each answer. carried: the ids that carry each criterion's identifier at the end.
    """
    ids: dict[str, set[str]] = {}
    made: Counter[str] = Counter()
    for criterion, name, status in told:
        ids.setdefault(criterion, set()).add(name)
        made[criterion] += status == 201
    wrong = [f"{one}: {sorted(names)} were told" for one, names in ids.items() if len(names) > 1]
    wrong += [f"{one}: made {count} times" for one, count in made.items() if count > 1]
    wrong += [f"{one}: {sorted(names)} are there" for one, names in carried.items() if len(names) > 1]
    return wrong + [f"{one}: told, and not there" for one in ids if not ids[one] & carried.get(one, set())]
