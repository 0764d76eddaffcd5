"""The workspace of clinicians: find a patient, read the chart, write into it."""
