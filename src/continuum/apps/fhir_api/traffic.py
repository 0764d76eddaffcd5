"""How many requests of each kind were answered, and how long they took, in Prometheus' text."""

from bisect import bisect_left

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Upper bounds of the histogram of durations."""


class Traffic:
    """Counters of one worker. Kinds and statuses are few, so the memory is bounded."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, int], int] = {}
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def count(self, interaction: str, status: int, took_s: float) -> None:
        """One answer."""
        key = (interaction, status)
        self._answers[key] = self._answers.get(key, 0) + 1
        buckets = self._buckets.get(interaction)
        if buckets is None:
            buckets = self._buckets[interaction] = [0] * (len(BUCKETS_S) + 1)
            self._seconds[interaction] = 0.0
        buckets[bisect_left(BUCKETS_S, took_s)] += 1
        self._seconds[interaction] += took_s

    def text(self) -> bytes:
        """The counters in the Prometheus text format 0.0.4."""
        lines = [
            "# HELP continuum_http_answers_total Answers to FHIR requests.",
            "# TYPE continuum_http_answers_total counter",
        ]
        for (interaction, status), number in sorted(self._answers.items()):
            lines.append(f'continuum_http_answers_total{{interaction="{interaction}",status="{status}"}} {number}')
        lines += [
            "# HELP continuum_http_duration_seconds Time from a request's head to its answer.",
            "# TYPE continuum_http_duration_seconds histogram",
        ]
        for interaction, buckets in sorted(self._buckets.items()):
            so_far = 0
            for bound, number in zip((*BUCKETS_S, "+Inf"), buckets, strict=True):
                so_far += number
                label = f'interaction="{interaction}",le="{bound}"'
                lines.append(f"continuum_http_duration_seconds_bucket{{{label}}} {so_far}")
            lines.append(
                f'continuum_http_duration_seconds_sum{{interaction="{interaction}"}} {self._seconds[interaction]:.6f}'
            )
            lines.append(f'continuum_http_duration_seconds_count{{interaction="{interaction}"}} {so_far}')
        return ("\n".join(lines) + "\n").encode()
