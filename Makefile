# The verbs; each is a script or one command in .venv, so that nothing here needs make.
BIN := .venv/bin

.PHONY: help setup fmt lint type test real-image lab lab-pages live example docs score mutate plant bench bench-image bench-audit bench-lab new-cause harness guest dist clean

help:
	@echo "make setup | fmt | lint | type | test | real-image | lab | lab-pages | live | example | docs | score | mutate | plant | bench | bench-image | bench-audit | bench-lab | harness | guest | dist | clean"
	@echo "make new-cause ID=some-cause TITLE='what the machine did'"

setup:
	@bash scripts/setup.sh dev

fmt: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	@bash scripts/lint.sh

type: setup
	$(BIN)/mypy

test:
	@bash scripts/test.sh

real-image:
	@bash scripts/real-image.sh

lab:
	@bash scripts/lab.sh

lab-pages:
	@bash scripts/lab.sh --pages

live:
	@bash scripts/live.sh

example:
	@bash scripts/example.sh

docs: setup
	$(BIN)/python tools/write_docs.py
	$(BIN)/python tools/write_schema.py

score: setup
	$(BIN)/python tools/score.py

mutate: setup
	$(BIN)/python tools/mutate.py

plant: setup
	$(BIN)/python tools/plant.py $(if $(N),--number $(N)) $(if $(SEED),--seed $(SEED))

bench: setup
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/throughput.py

bench-image: setup
	$(BIN)/python bench/images.py

bench-audit: setup
	$(BIN)/python bench/audit.py

bench-lab: setup
	WHYPANIC_LAB=$$(bash scripts/lab-kernels.sh gcc clang-thin) $(BIN)/python bench/lab.py

new-cause: setup
	$(BIN)/python tools/new_cause.py --id "$(ID)" --title "$(TITLE)"

harness: setup
	$(BIN)/python tools/build_harness.py

guest: setup
	$(BIN)/python tools/build_guest.py

dist: setup
	$(BIN)/python -m hatchling build -d dist

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
