"""Measure, and print a row a ratio: ``python -m benchmarks [size=small|full|large] [only=NAME,…]``.

``size=small`` runs every bench in seconds, without peers; ``size=large`` adds what takes minutes and gigabytes.
"""

from __future__ import annotations

import sys

from benchmarks.runner import main

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
