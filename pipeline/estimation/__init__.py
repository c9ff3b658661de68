"""From scores to estimates: random batches, their sums and moments, sample sizes, paired differences."""
