"""Speed and memory against peers; both sides of a comparison are measured in one run and printed as a ratio."""
