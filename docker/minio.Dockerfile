# MinIO publishes no more images: its server, built from its source at one commit.
FROM golang:1.24-bookworm AS build
ARG MINIO=v0.0.0-20260212201848-7aac2a2c5b7c
RUN CGO_ENABLED=0 go install "github.com/minio/minio@${MINIO}"

FROM debian:bookworm-slim
# The system's security updates come with each build of the image.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 minio && install -d -o minio -g minio /data
COPY --from=build /go/bin/minio /usr/local/bin/minio
USER 1000:1000
VOLUME /data
ENTRYPOINT ["minio"]
CMD ["server", "/data", "--address", ":9000", "--console-address", ":9001"]
