"""Tables on disk, read shard by shard. To add a format: a module here, and an entry in `open_table`."""
