"""Accounting reports: what they tell, as Word, Excel and PDF, and the versions that were made."""
