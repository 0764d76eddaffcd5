"""What everybody who looks at a record shares: its sections, the banner, the summary, the timeline, first writes.

A section is a module in `sections/` with a `SECTION`; it is found there, not listed. The pages that show sections
(workspace and portal) know no resource type.
"""
