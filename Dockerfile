# The wheel and exactly the libraries of requirements.lock, each checked against its hash, in an image without build tools.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv tools && python -m venv --without-pip /opt/studio-exporter
COPY requirements.lock ./
RUN tools/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist .
RUN wheel=$(echo dist/*.whl) \
    && hash=$(sha256sum "$wheel" | cut -d ' ' -f 1) \
    && tools/bin/uv pip install --no-cache --compile-bytecode --python /opt/studio-exporter/bin/python \
        --require-hashes --constraint requirements.lock \
        "studio-exporter[postgres,mysql] @ file://$PWD/$wheel#sha256=$hash"

FROM python:3.13-slim
COPY --from=build /opt/studio-exporter /opt/studio-exporter
# /var/lib/studio-exporter is for the state that is to survive: mount a volume there.
RUN useradd --system --uid 10210 --no-create-home --shell /usr/sbin/nologin studio \
    && install --directory --owner studio /var/lib/studio-exporter
ENV PATH=/opt/studio-exporter/bin:$PATH
USER 10210
EXPOSE 10210
# With --web.config.file it may be HTTPS, and answer that it wants a password: it serves all the same.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD for scheme in HTTP HTTPS; do python -c "\
import http.client, ssl, sys; \
ssl._create_default_https_context = ssl._create_unverified_context; \
exporter = getattr(http.client, sys.argv[1] + 'Connection')('127.0.0.1', 10210, timeout=2); \
exporter.request('GET', '/-/healthy'); \
sys.exit(exporter.getresponse().status not in (200, 401))" $scheme && exit; done; exit 1
ENTRYPOINT ["studio-exporter"]
CMD ["--config.file=/etc/studio-exporter/config.yaml", "--web.listen-address=0.0.0.0:10210"]
