# Two commands do all of it: `make demo` and `make test`. Works with GNU make 3.81 and BSD make.
.POSIX:
.PHONY: demo test faults lint lock environment

# Options of the demo: make demo ARGS="--http-port 0"
ARGS =

demo: environment
	@exec .venv/bin/hypervision demo $(ARGS)

# One group of tests alone: make test ARGS="unit"
test:
	@sh scripts/environment.sh test
	@exec .venv/bin/python scripts/run_tests.py $(ARGS)

# Kills, cuts, floods and full disks for an hour, with a ledger: make faults ARGS="--minutes 5 --seed 3"
faults:
	@sh scripts/environment.sh test
	@exec .venv/bin/python scripts/faults.py $(ARGS)

environment:
	@sh scripts/environment.sh run

lint:
	@sh scripts/environment.sh test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# Resolves the dependencies anew, for all platforms and Python 3.11 to 3.13, with hashes and no addresses.
lock:
	@sh scripts/environment.sh test
	@sh scripts/lock.sh
