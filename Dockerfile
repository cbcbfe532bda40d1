# One image for every role: `collect`, `watch`, `analyse`, `serve` and the rest are verbs of one program.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    HYPERVISION_DATA_DIR=/data

WORKDIR /app

# Packages first: they change less often than the code, and each is checked against its hash.
COPY requirements/build.lock requirements/run.lock requirements/
RUN pip install --require-hashes --only-binary :all: -r requirements/build.lock -r requirements/run.lock

COPY pyproject.toml README.md LICENSE ./
COPY hypervision hypervision
COPY ingest ingest
COPY models models
COPY dashboards dashboards
COPY simulators simulators
RUN pip install --no-deps --no-build-isolation --no-index . \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin hypervision \
    && install -d -o hypervision -g hypervision -m 0700 /data

USER hypervision
VOLUME /data
EXPOSE 8050
ENTRYPOINT ["hypervision"]
CMD ["--help"]
