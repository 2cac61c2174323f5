"""Whether data can be believed: row rules, the audit of what was written, and reports."""
