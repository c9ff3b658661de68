"""What study=gate is made of: the findings, the rule that is audited, and the files."""
