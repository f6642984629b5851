# qa with its model inside: docker build -t qa .
FROM python:3.11-slim-bookworm AS build
# Where torch comes from; without a GPU name PyTorch's CPU index, or gigabytes of CUDA come along.
ARG TORCH_INDEX=""
# Extras of the package, with commas between them.
ARG EXTRAS="mcp,serve"
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY docs/answer.schema.json docs/
COPY embeddings embeddings
COPY qa qa
RUN python -m venv /opt/qa \
    && /opt/qa/bin/pip install --no-cache-dir --constraint constraints.txt \
        ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch \
    && /opt/qa/bin/pip install --no-cache-dir --constraint constraints.txt ".[$EXTRAS]"

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 qa && install --directory --owner qa /library /articles
COPY --from=build /opt/qa /opt/qa
ENV PATH=/opt/qa/bin:$PATH QA_LIBRARY=/library HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
USER 1000
# Fails here, and not at the first question, if the model is not whole.
RUN python -c "from embeddings.encoder import load; load(None).encode_query('whole?')"
VOLUME /library
WORKDIR /articles
ENTRYPOINT ["qa"]
CMD ["--help"]
