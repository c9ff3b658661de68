"""The package's face: the functions that `pipeline` (installed: `batchscope`) offers to Python."""
