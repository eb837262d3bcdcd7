# One image for the web process (the default) and the worker (`docker run IMAGE worker`).
#   docker build -t slatimer .
#   docker run -p 8000:8000 -v slatimer:/data slatimer

FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/slatimer
ENV PATH=/opt/slatimer/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The dependencies first: this layer stays cached until the lock file changes.
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md ./
COPY app ./app
COPY calendars ./calendars
COPY agreements ./agreements
RUN pip install --no-deps --no-build-isolation . && python -m compileall -q /opt/slatimer/lib

FROM python:3.12-slim
# A fixed number, so that orchestrators which insist on a numeric non-root user accept the image.
RUN useradd --system --uid 10001 --user-group --no-create-home slatimer \
    && install -d -o slatimer -g slatimer /data
COPY --from=build /opt/slatimer /opt/slatimer
ENV PATH=/opt/slatimer/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SLATIMER_DATABASE_URL=sqlite:////data/slatimer.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["slatimer"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
