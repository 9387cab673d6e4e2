# One image for both roles; the command chooses: `node apps/api/src/main.ts` (the default) or `node apps/worker/src/main.ts`.
# Node runs the TypeScript sources, so nothing is compiled; Redis, Chroma and the model are others' containers.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/
COPY packages/agents/package.json packages/agents/
COPY packages/shared/package.json packages/shared/
# Only what the two roles need. Optional are Chroma's own server (417 MB; its client is not) and a native part of
# BullMQ's decoder that has a substitute in JavaScript. No package needs its install script: SQLite's binaries are in it.
RUN npm ci --workspace apps/api --workspace apps/worker --omit=dev --omit=optional --ignore-scripts \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && rm -r node_modules/better-sqlite3/deps

FROM node:24-bookworm-slim
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=16 HOST=0.0.0.0 AGENTS_DIR=/app/agents
WORKDIR /app
# The folders are the user's before they become volumes: a new named volume takes over owner and mode.
RUN mkdir agents data logs && chown node:node data logs
# node_modules/@agent-paas/* are links to ../../apps/* and ../../packages/*: Node strips types only outside node_modules.
COPY --from=dependencies /app ./
COPY apps apps
COPY packages packages
USER node
VOLUME ["/app/data", "/app/logs"]
EXPOSE 8000
# Each role by its own check; which role this container has, its first process tells.
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=20s CMD case "$(tr '\0' ' ' < /proc/1/cmdline)" in \
  *apps/worker/*) exec node apps/worker/src/is-alive.ts ;; \
  *) exec node apps/api/src/is-ready.ts ;; \
  esac
CMD ["node", "apps/api/src/main.ts"]
