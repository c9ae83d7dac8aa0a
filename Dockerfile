# The server with its models: `make image`; docs/image.md says how to build, pin and run it.
#
# Debian's own Python 3.11 does as well, so nothing here relies on where the base keeps it. Pin the base
# by its digest where yours is known: --build-arg BASE=…@sha256:…
ARG BASE=docker.io/library/python:3.11.14-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS dependencies
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

# The service's own files lie apart, so that a new version of it is a small layer.
FROM dependencies AS build
COPY pyproject.toml README.md LICENSE ./
COPY service service
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
    && /opt/build/bin/pip --python /opt/depesche/bin/python install --no-deps --no-index \
        --no-cache-dir --root /own /dist/*.whl \
    && cp -a /own/opt/depesche/. /opt/depesche/
COPY models/manifest.toml .ci/image/sbom.py ./
RUN /opt/build/bin/cyclonedx-py environment /opt/depesche/bin/python \
        --output-reproducible --output-file environment.json \
    && /opt/build/bin/python sbom.py environment.json manifest.toml /own/opt/depesche/sbom.cdx.json

# hadolint ignore=DL3006
FROM ${BASE} AS server
# Nobody in here ever becomes somebody else, or installs anything; and what the base doesn't bring
# compiled would be compiled anew at each start, since nothing can be written.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/* \
    && mkdir -p /var/lib/depesche/models \
    && python3 -m compileall -q "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY models /usr/share/depesche/models
COPY --from=dependencies /opt/depesche /opt/depesche
COPY --from=build /own/opt/depesche /opt/depesche
COPY LICENSE /usr/share/depesche/
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
# After what is large, so that a new revision doesn't make it anew.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Depesche" \
      org.opencontainers.image.description="English briefs of German, Russian and Khmer releases" \
      org.opencontainers.image.licenses="Apache-2.0 AND LicenseRef-Gemma" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# What converts stronger models. It stands below the server, so that builders which make every stage
# up to the one that is asked for don't make this one for it.
FROM dependencies AS convert
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements/convert.in requirements/
RUN --mount=type=secret,id=pip --mount=type=secret,id=ca \
    if [ -e /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi \
    && python3 -m venv --without-pip /opt/convert \
    && /opt/build/bin/pip --python /opt/convert/bin/python install --no-cache-dir \
        --extra-index-url "${TORCH_INDEX}" -r requirements/convert.in

# With what pulls and converts stronger models, for an init container: --target pull.
FROM server AS pull
COPY --from=convert /opt/convert /opt/convert
ENV DEPESCHE_CONVERT_PYTHON=/opt/convert/bin/python
USER 0:0
# A volume that is made by the engine takes this owner.
RUN chown 10001:10001 /var/lib/depesche/models
USER 10001:10001
CMD ["models", "list"]

# What is built by default.
FROM server
