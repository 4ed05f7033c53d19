# syntax=docker/dockerfile:1
# The service as an image. `docker build .` makes the slim one (compact alone, no torch);
#   --build-arg REQUIREMENTS=requirements.txt   everything, M2FP too
#   --build-arg M2FP=1                          the same, with M2FP's weights in it (720 MB, CC BY-NC 4.0: not for sale)

ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS build
ARG REQUIREMENTS=requirements-slim.txt
ARG M2FP=0
ARG PIP_EXTRA_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY requirements.txt requirements-slim.txt ./
# Only the full set knows torch. Without an extra index that has it for CPUs, pip may fetch some gigabytes of CUDA.
RUN if [ "$M2FP" = 1 ]; then REQUIREMENTS=requirements.txt; fi \
    && pip install -r "$REQUIREMENTS" \
    && find /venv -name __pycache__ -prune -exec rm -rf {} +
COPY . .
RUN mkdir -p models/m2fp \
    && if [ "$M2FP" = 1 ]; then python -m humanparse fetch m2fp --yes; fi

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin humanparse \
    && install -d -o humanparse -g humanparse /data /data/uploads /data/results /data/cache
COPY --from=build /venv /venv
COPY --from=build /app /app
# One folder to write to, and /tmp: the rest of the file system may be read-only.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HUMANPARSE_JOBS_DIR=/data/uploads \
    HUMANPARSE_RESULTS_DIR=/data/results \
    HUMANPARSE_CACHE_DIR=/data/cache
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/healthz', timeout=4)"]
# A worker is the same image with another command: celery -A humanparse.tasks worker
CMD ["gunicorn", "--bind", "0.0.0.0:5000", "--worker-tmp-dir", "/dev/shm", "app:app"]
