"""Caregivers and those who act by law: recorded at a registration desk from the paper that says so."""
