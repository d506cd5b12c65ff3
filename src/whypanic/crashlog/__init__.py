"""Reading the text of crash logs: lines, blocks, sections, facts. Total for any input."""
