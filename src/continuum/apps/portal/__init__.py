"""The person's own record: pages for patients and their families."""
