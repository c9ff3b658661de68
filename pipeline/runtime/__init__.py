"""The process and its machine: files, locks, cores, caches, progress bars."""
