# The server with its models: `make image`; docs/image.md says how to build, pin and run it.
#
# Debian's own Python 3.11 does as well, so nothing here relies on where the base keeps it. Pin the base
# by its digest where yours is known: --build-arg BASE=…@sha256:…
ARG BASE=docker.io/library/python:3.11.14-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /src
# The environment that is shipped has no pip; another one's installs into it. Settings of pip, for a
# registry or a proxy of your own, come as secrets and don't stay.
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/depesche
COPY requirements/image.txt requirements/image-build.txt requirements/
RUN --mount=type=secret,id=pip --mount=type=secret,id=ca \
    if [ -e /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi \
    && /opt/build/bin/pip --python /opt/depesche/bin/python install --no-cache-dir --require-hashes \
        --only-binary :all: -r requirements/image.txt \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/image-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
    && /opt/build/bin/pip --python /opt/depesche/bin/python install --no-deps --no-index \
        --no-cache-dir /dist/*.whl
COPY models models
COPY .ci/image/sbom.py .
RUN /opt/build/bin/cyclonedx-py environment /opt/depesche/bin/python \
        --output-reproducible --output-file environment.json \
    && /opt/build/bin/python sbom.py environment.json models/manifest.toml /opt/depesche/sbom.cdx.json

# hadolint ignore=DL3006
FROM ${BASE} AS server
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Depesche" \
      org.opencontainers.image.description="English briefs of German, Russian and Khmer releases" \
      org.opencontainers.image.licenses="Apache-2.0 AND LicenseRef-Gemma" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Nobody in here ever becomes somebody else.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/depesche /opt/depesche
COPY LICENSE /usr/share/depesche/
COPY models /usr/share/depesche/models
ENV PATH=/opt/depesche/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    DEPESCHE_MODELS_DIR=/usr/share/depesche/models \
    DEPESCHE_PULLED_DIR=/var/lib/depesche/models \
    DEPESCHE_LISTEN=0.0.0.0:50051 \
    DEPESCHE_HEALTH_LISTEN=0.0.0.0:50052 \
    DEPESCHE_METRICS=0.0.0.0:9464
EXPOSE 50051 50052 9464
USER 10001:10001
WORKDIR /tmp
STOPSIGNAL SIGTERM
ENTRYPOINT ["depesche"]
CMD ["serve"]

# With what pulls and converts stronger models, for an init container: --target pull.
FROM server AS pull
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
USER 0:0
COPY requirements/convert.in /opt/convert/
RUN --mount=type=secret,id=pip --mount=type=secret,id=ca \
    if [ -e /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi \
    && python3 -m venv /opt/convert \
    && /opt/convert/bin/pip install --no-cache-dir --extra-index-url "${TORCH_INDEX}" \
        -r /opt/convert/convert.in
ENV DEPESCHE_CONVERT_PYTHON=/opt/convert/bin/python
USER 10001:10001
CMD ["models", "list"]

# What is built by default.
FROM server
