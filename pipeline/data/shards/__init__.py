"""Tables on disk that are read shard by shard; a new format is one file here, one entry in `opening`."""
