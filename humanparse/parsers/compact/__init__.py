"""The embedded parser: our own small network, its weights in this folder, no torch needed."""
