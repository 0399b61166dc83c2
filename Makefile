# Everything is built by need: `make run` on a fresh machine does the set-up first.
#
#   make run      the demo nation, decided and published by Airflow, without a server
#   make airflow  the same in Airflow's web page (for development)
#   make demo-sources  the demo nation from PostgreSQL, S3, SFTP, HTTP and a workbook
#   make portal   the portal on the demo nation, with an account per role
#   make test     what CI calls
#   make lint     Python and SQL, read by machines: style, rooms, types
#   make mutate   change the law models one token at a time: does a unit test notice?
#   make fuzz     many random registries and nations, held against second opinions
#   make month    a month under the running scheduler, faults among its days
#   make spark    the golden and the demo nation on DuckDB and on Spark, compared
#   make bench    measure
#   make setup    .venv with the komek command
#   make lock     requirements.txt anew from requirements.in
#   make clean    delete what all of these made, but not data/
#   make help     print this

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin
# An environment of its own, for who decides on Spark.
SPARK := .spark
# pip puts uv there, which is four times as fast, and stands in for it where an index is
# set up for pip alone.
INSTALL := --quiet --disable-pip-version-check --no-deps --require-hashes

export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED := False
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
# Compiled once, everything starts in half the time.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.PHONY: help run airflow portal demo-sources test lint python sql mutate fuzz month bench \
	spark setup lock clean

setup: $(VENV)/komek

help:
	@sed -n 's/^#   \(make .*\)/\1/p' $(firstword $(MAKEFILE_LIST))

$(VENV)/requirements: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.txt >$(VENV)/uv.txt
	$(RUN)/pip install $(INSTALL) --requirement $(VENV)/uv.txt
	$(RUN)/uv pip install --quiet --native-tls --python $(RUN)/python --compile-bytecode \
		--no-deps --require-hashes --requirement requirements.txt || \
		$(RUN)/pip install $(INSTALL) --compile --requirement requirements.txt
	@touch $@

$(VENV)/komek: $(VENV)/requirements pyproject.toml
	$(RUN)/pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@

# The nation of one scale and seed is always the same: written once, it is kept.
data/drop/planted.json: | setup
	$(RUN)/komek nation data/drop --scale 0.01

run: setup data/drop/planted.json
	$(RUN)/python dev/local_airflow.py run --as-of 2020-04-20

airflow: setup data/drop/planted.json
	$(RUN)/python dev/local_airflow.py serve

# Needs the Debian packages postgresql and openssh-server.
demo-sources: setup data/drop/planted.json
	$(RUN)/python dev/demo_sources.py

# Lists of 2, 14 and 28 April: decided once, they are kept.
# A home of its own: what `make run` published, stays.
data/demo/warehouse/current: data/drop/planted.json
	for day in 2020-04-02 2020-04-14 2020-04-28; do \
		$(RUN)/komek run --as-of $$day --drop data/drop --home data/demo || exit; done

portal: setup data/demo/warehouse/current
	$(RUN)/komek serve --home data/demo --demo

test: python sql
	$(RUN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 10

lint: python sql

# Every model with SQL of its own. What macros write is read in tests/dbt, in models that
# call them: a macro by itself has no SQL to parse.
sql: setup
	$(RUN)/sqlfluff lint --disable-progress-bar --processes 2 $(addprefix dbt_project/models/,\
		facts law marts staging/stg_spoken_of.sql \
		staging/stg_referenced_links.sql staging/stg_referenced_persons.sql)

# Style, which room imports which, and types.
python: setup
	$(RUN)/ruff check komek dags dev tests bench
	$(RUN)/ruff format --check komek dags dev tests bench
	$(RUN)/lint-imports --no-cache
	$(RUN)/mypy

mutate: setup
	$(RUN)/python dev/mutate.py

fuzz: setup
	KOMEK_SEEDS=$(or $(SEEDS),20) $(RUN)/pytest tests/landing/test_registry_rules.py \
		tests/pipeline/test_random_nations.py

month: setup
	$(RUN)/python tests/tools/simulated_month.py --days $(or $(DAYS),30) \
		--folder bench/out/month

# Needs Java 17: Debian's openjdk-17-jre-headless.
$(SPARK)/komek: $(VENV)/requirements requirements-spark.txt pyproject.toml
	$(PYTHON) -m venv --clear $(SPARK)
	$(RUN)/uv pip install --quiet --native-tls --python $(SPARK)/bin/python \
		--compile-bytecode --no-deps --require-hashes --requirement requirements.txt \
		--requirement requirements-spark.txt
	$(SPARK)/bin/pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@

spark: $(SPARK)/komek data/drop/planted.json
	$(SPARK)/bin/python dev/both_engines.py tests/golden/drop --as-of 2020-04-20
	$(SPARK)/bin/python dev/both_engines.py tests/golden/drop --as-of 2020-04-20 \
		--policy food_set.age_upper=through_age_18 --policy food_set.carer=one_parent
	$(SPARK)/bin/python dev/both_engines.py tests/golden/month_of_lists/drop \
		--as-of 2020-04-02 2020-04-14 2020-04-28
	$(SPARK)/bin/python dev/both_engines.py data/drop --as-of 2020-04-20

bench: setup
	$(RUN)/python bench/run.py --scale $(or $(SCALE),1.0)

# The second has what the first has not.
lock:
	$(RUN)/uv pip compile --native-tls --generate-hashes --no-annotate --no-header --python-version 3.11 \
		--output-file requirements.txt requirements.in
	$(RUN)/uv pip compile --native-tls --generate-hashes --no-annotate --no-header --python-version 3.11 \
		--constraint requirements.txt --output-file requirements-spark.txt requirements-spark.in
	$(RUN)/python dev/without.py requirements-spark.txt requirements.txt

clean:
	rm -rf $(VENV) $(SPARK) .airflow .pytest_cache .ruff_cache .mypy_cache .hypothesis bench/out \
		*.egg-info dbt_project/target dbt_project/logs
	find komek dags dev tests bench -name __pycache__ -prune -exec rm -rf {} +
