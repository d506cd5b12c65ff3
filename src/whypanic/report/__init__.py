"""Reports: a document first, then text."""
