# One image for both roles. The command chooses: `node apps/api/src/main.ts` (default) or
# `node apps/worker/src/main.ts`.
# Node runs the TypeScript sources directly; what it makes of them is in the image (scripts/compile-cache.mjs). Redis,
# Chroma and the model run elsewhere.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/
COPY packages/agents/package.json packages/agents/
COPY packages/shared/package.json packages/shared/
# Installs only what the two roles need. The optional packages are Chroma's own server (417 MB; the client is not
# optional) and a native part of BullMQ's decoder, which has a JavaScript fallback. No package needs its install script:
# better-sqlite3 contains SQLite's binaries.
RUN npm ci --workspace apps/api --workspace apps/worker --omit=dev --omit=optional --ignore-scripts \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && rm -r node_modules/better-sqlite3/deps

# The page at /. What builds it stays out of the image.
FROM node:24-bookworm-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY apps/playground/package.json apps/playground/
COPY packages/client/package.json packages/client/
RUN npm ci --workspace apps/playground --omit=dev --ignore-scripts
COPY apps/playground apps/playground
COPY packages/client packages/client
RUN node apps/playground/build.ts

FROM node:24-bookworm-slim
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=16 HOST=0.0.0.0 AGENTS_DIR=/app/agents \
    NODE_COMPILE_CACHE=/app/compile-cache
WORKDIR /app
# The folders belong to the user alone before they become volumes, because a new named volume inherits owner and mode.
RUN mkdir agents && install --directory --owner=node --group=node --mode=0700 data logs compile-cache
# node_modules/@agent-paas/* are links to apps/* and packages/*, because Node strips types only outside node_modules.
COPY --from=dependencies /app ./
COPY apps apps
COPY packages packages
COPY --from=page /app/apps/playground/dist apps/playground/dist
# For `npm run backup`.
COPY scripts scripts
# npm and the MCP servers that `npx` starts keep their files there; docker-compose.yml mounts a folder in memory at it.
ENV HOME=/home/node
USER node
# Node keeps a cache per user, so it is filled as the user that runs it.
RUN node --import ./scripts/require-node.mjs --eval ""
VOLUME ["/app/data", "/app/logs"]
EXPOSE 8000
# Each role has its own check; the command line of the first process says which role this container has. The first check
# that succeeds ends the start period; Compose gives up on what is not healthy after it.
HEALTHCHECK --interval=10s --timeout=10s --retries=3 --start-period=60s CMD case "$(tr '\0' ' ' < /proc/1/cmdline)" in \
  *apps/worker/*) exec node apps/worker/src/is-alive.ts ;; \
  *) exec node apps/api/src/is-ready.ts ;; \
  esac
CMD ["node", "apps/api/src/main.ts"]
