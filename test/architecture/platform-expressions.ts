/** The regular expressions whose text operator, plugin, provider or the platform itself chooses. */
import type { Listed } from "./client-expressions.ts";

export const PLATFORM_EXPRESSIONS: readonly Listed[] = [
  {
    file: "apps/api/src/config.ts",
    bound: "a setting",
    expressions: ["/^[0-9a-f]{64}$/i", "/^[a-zA-Z0-9_.-]{1,64}$/"],
  },
  { file: "apps/worker/src/config.ts", bound: "a setting", expressions: ["/^https?$/"] },
  {
    file: "packages/agents/src/model/models-config.ts",
    bound: "a setting",
    expressions: ["/^[A-Za-z_][A-Za-z0-9_]*$/", "/^https?$/"],
  },
  {
    file: "apps/api/src/queue/admission.ts",
    bound: "an error of Redis",
    expressions: ["/\\bOOM command not allowed/"],
  },
  {
    file: "packages/agents/src/model/openai/batch-limits.ts",
    bound: "4,000 characters of a provider's message",
    expressions: ["/\\d+/g"],
  },
  {
    file: "packages/agents/src/model/openai/tool-names.ts",
    bound: "a name of a tool: linear, without repetitions that overlap",
    expressions: ["/[^a-zA-Z0-9_-]/g", "/^[a-zA-Z_]/"],
  },
  {
    file: "packages/agents/src/model/openai/errors.ts",
    bound: "4,000 characters of a provider's message",
    expressions: ["/[\\p{Cc}\\s\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]+/gu"],
  },
  {
    file: "packages/agents/src/model/openai/retry-after.ts",
    bound: "a header of the model provider, or 60 characters of its message",
    expressions: [
      "/^\\d{1,15}(?:\\.\\d{0,15})?$/",
      "/(\\d{1,9}(?:\\.\\d{1,9})?)\\s{0,2}(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)/y",
    ],
  },
  {
    file: "packages/agents/src/registry/agent-registry.ts",
    bound: "an id that a plugin registers",
    expressions: ["/^[a-z][a-z0-9_-]{0,63}$/"],
  },
  {
    file: "packages/agents/src/registry/plugins.ts",
    bound: "a name of a file in AGENTS_DIR",
    expressions: ["/(?<!\\.test|\\.d)\\.[cm]?[jt]s$/"],
  },
  {
    file: "packages/agents/src/registry/source-places.ts",
    bound: "Node's message on an import of a plugin",
    expressions: ["/^Cannot find \\w+ '(.+)' imported from (\\/.+)$/m"],
  },
  {
    file: "packages/agents/src/retrieval/term-weights.ts",
    bound: "the list of common words",
    expressions: ["/\\s+/"],
  },
  {
    file: "packages/agents/src/tools/http-fetch/allowed-hosts.ts",
    bound: "a setting",
    expressions: ["/^(\\*|(\\*\\.)?[^*]+)$/", "/^(\\[[^\\]]+\\]|[^:/@?#\\s]+)(?::(\\d{1,5}))?$/"],
  },
  {
    file: "packages/agents/src/tools/mcp/mcp-config.ts",
    bound: "a setting",
    expressions: ["/^[a-zA-Z0-9-]{1,24}$/", "/^https?$/"],
  },
  {
    file: "packages/agents/src/tools/tool.ts",
    bound: "a name that a plugin registers",
    expressions: ["/^[a-zA-Z0-9_-]{1,64}$/"],
  },
  {
    file: "packages/shared/src/config/common-config.ts",
    bound: "a setting",
    expressions: ["/^[\\x21-\\x7e]+$/", "/^[a-zA-Z0-9._-]{1,80}$/", "/^[a-zA-Z0-9_-]{1,40}$/", "/^https?$/"],
  },
  {
    file: "packages/shared/src/config/database-url.ts",
    bound: "a setting",
    expressions: ["/^(?!file:)[a-z]+:\\/\\//i", "/^\\/?[a-z]:[\\\\/]/i"],
  },
  {
    file: "packages/shared/src/db/sqlite/outage.ts",
    bound: "a code of SQLite",
    expressions: [
      "/^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|NOMEM|PERM)/",
      "/^SQLITE_(BUSY|LOCKED|READONLY|CANTOPEN|NOTADB|PROTOCOL|PERM)/",
    ],
  },
  {
    file: "packages/shared/src/logging/describe-error.ts",
    bound: "500 characters",
    expressions: ["/\\s+/g"],
  },
  {
    file: "packages/shared/src/logging/log-files.ts",
    bound: "a name of a file in LOG_DIR",
    expressions: ["/^(\\d{1,12})\\.log$/"],
  },
  {
    file: "packages/shared/src/logging/log-retention.ts",
    bound: "a name of a file in LOG_DIR",
    expressions: ["/\\.\\d+\\.log$/"],
  },
  {
    file: "packages/shared/src/net/kernel-connections.ts",
    bound: "a line of the kernel's list of connections",
    expressions: [
      "/^ *\\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):[0-9A-F]{8} [0-9A-F:]{11} ([0-9A-F]{8}) /",
    ],
  },
  {
    file: "packages/shared/src/redis/script.ts",
    bound: "the names of a script in the sources",
    expressions: ["/^[a-z_]+$/"],
  },
];
