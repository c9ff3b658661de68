"""Batchscope: how far one mini-batch can be trusted, and whether the loss or the accuracy sees a change first."""
