"""One module a section of a crash report: each recognises single lines and returns facts."""
