"""What is counted of each row; a new metric is one file here, one YAML of the same name, one entry below."""

MEMBERS: dict[str, type] = {}
