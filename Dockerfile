# The image of chatwatch: the binary, the certificates of public authorities, a data directory, and nothing else. It needs
# BuildKit, which docker build uses by itself.

FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ENV CGO_ENABLED=0 GOTOOLCHAIN=local
WORKDIR /src

COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY . .
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags "-s -w" -o /image/chatwatch ./cmd/chatwatch

# The data directory belongs to whom the process runs as, and so does a volume that is made from it.
RUN install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
    && install -d -m 0700 /owned/data

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chatwatch" \
      org.opencontainers.image.description="Supervised customer-service chat, event-sourced" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /owned/ /
USER 65532:65532
ENV CHATWATCH_DATA_DIR=/data TMPDIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=2m --retries=3 CMD ["/chatwatch", "health"]
ENTRYPOINT ["/chatwatch"]
CMD ["serve"]
