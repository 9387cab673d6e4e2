/**
 * The regular expressions whose text a client can choose, be it through a model, a tool, a page that a tool fetches, or
 * an error that quotes it. Such an expression must take linear time, and hostile-text.test.ts feeds it hostile text.
 */
export type Listed = {
  readonly file: string;
  /** What bounds the text, or whose text it is. */
  readonly bound: string;
  /** Most characters that the expression ever sees, where that is less than 64 KB and the expression relies on it. */
  readonly maxChars?: number;
  /** As they are written in the source. */
  readonly expressions: readonly string[];
};

export const CLIENT_EXPRESSIONS: readonly Listed[] = [
  {
    file: "apps/api/src/doors/playground/routes/page.ts",
    bound: "Node's limit of a request's head, 16 KiB; anchored, a class with a bound count",
    expressions: ["/^[\\w-]{1,80}\\.(?:css|js|svg)$/"],
  },
  {
    file: "apps/api/src/doors/openai/responses/ids.ts",
    bound: "anchored, repetitions with a bound",
    expressions: [
      "/^(msg|rs|fc)_([0-9a-f-]{36})(?:_(\\d{1,4}))?$/",
      "/^conv_([0-9a-f-]{36})_([0-9a-f]{8})$/",
      "/^resp_/",
    ],
  },
  {
    file: "apps/api/src/doors/openai/responses/session-items.ts",
    bound: "anchored, a repetition with a bound",
    expressions: ["/^item_([0-9a-f-]{36})_/"],
  },
  {
    file: "apps/api/src/doors/platform/knowledge-document-body.ts",
    bound: "MAX_DOCUMENT_BYTES",
    expressions: ["/\\p{Cc}/u", "/\\r\\n?/g", "/^\\uFEFF/"],
  },
  {
    file: "apps/api/src/doors/platform/routes/sessions.ts",
    bound: "a title of 200 characters, single characters",
    expressions: ["/[\\p{Cc}\\p{Zl}\\p{Zp}]/u"],
  },
  {
    file: "apps/api/src/storage/session-search.ts",
    bound: "a searched text of 200 characters, a title of 200, or an excerpt of 400, single classes",
    expressions: ["/[A-Z]+/g", "/\\s+/g"],
  },
  {
    file: "apps/worker/src/storage/session-title.ts",
    bound: "the first 1,000 characters of a message, a single class",
    expressions: ["/[\\p{Cc}\\s]+/gu"],
  },
  {
    file: "apps/api/src/validation/client-tools.ts",
    bound: "a class with a bound count, anchored at both ends",
    expressions: ["/^[a-zA-Z0-9_-]{1,64}$/"],
  },
  {
    file: "apps/api/src/validation/message-parts.ts",
    bound: "MAX_PARTS_BYTES: linear, without repetitions that overlap",
    expressions: ["/^[A-Za-z0-9+/]*={0,2}$/"],
  },
  {
    file: "apps/api/src/http/authenticate.ts",
    bound: "Node's limit of a request's head, 16 KiB",
    expressions: ["/^Bearer +(\\S+)$/i"],
  },
  {
    file: "apps/api/src/http/headers.ts",
    bound: "Node's limit of a request's head, 16 KiB",
    expressions: ["/^[\\x21-\\x7e]{1,255}$/", "/^\\d{1,15}$/"],
  },
  {
    file: "apps/api/src/http/job-headers.ts",
    bound: "Node's limit of a request's head, 16 KiB",
    expressions: [
      "/^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/",
      "/\\p{Script=Han}/u",
    ],
  },
  {
    file: "apps/api/src/http/request-context.ts",
    bound: "Node's limit of a request's head, 16 KiB",
    expressions: ["/\\/(health|livez|readyz)$/", "/^[A-Za-z0-9._-]{1,100}$/"],
  },
  {
    file: "apps/api/src/validation/validate.ts",
    bound: "MAX_BODY_BYTES",
    expressions: [
      "/^Invalid input: expected \\w+, received undefined$/",
      "/^Invalid input: expected number, received NaN$/",
      "/^Invalid input: expected (?:int|number), received bigint$/",
    ],
  },
  {
    file: "packages/client/src/knowledge.ts",
    bound: "the type of the caller's file; anchored, without a repetition",
    expressions: ["/^(?:application\\/(?:json|x-www-form-urlencoded)|multipart\\/form-data)/i"],
  },
  {
    file: "packages/client/src/sse.ts",
    bound: "a piece of a response, in the client's own process",
    expressions: ["/\\r\\n?|\\n/g"],
  },
  {
    file: "packages/shared/src/json/exact-json.ts",
    bound: "MAX_BODY_BYTES; the model's output tokens; the size of a result",
    expressions: ["/(?:^|[\\s:,[])-?(?:\\d[\\d.]{15}|\\d[\\d.]*[eE]\\+?\\d{3})/", "/^-?\\d+$/"],
  },
  {
    file: "packages/shared/src/contract/events.ts",
    bound: "the size of an event",
    expressions: ["/[\\u0085\\u2028\\u2029]/", "/[\\u0085\\u2028\\u2029]/g"],
  },
  {
    file: "packages/agents/src/agents/citations.ts",
    bound: "the model's output tokens; the size of a chunk",
    expressions: ["/<(?=[\\s/]*passage)/gi", "/[[【](\\d{1,3}(?: ?[,，、] ?\\d{1,3}){0,20})[\\]】]/g", "/\\D+/"],
  },
  {
    file: "packages/agents/src/answer/read-json.ts",
    bound: "the model's output tokens",
    expressions: ["/^<(?:think|thinking|thought)>/i", "/<\\/(?:think|thinking|thought)>/gi"],
  },
  {
    file: "packages/agents/src/json-schema/schema-limits.ts",
    bound: "MAX_PATTERN_CHARS, 4,000",
    expressions: ["/\\{(\\d{1,9})(?:,(\\d{0,9}))?\\}/g"],
  },
  {
    file: "packages/agents/src/json-schema/schema-thread.ts",
    bound: "schema-limits.ts, and 1 s of a thread of the pool",
    expressions: ["/\\b(props\\d+ ?(?:=|\\|\\|) ?)\\{\\}/g", "/props\\d/"],
  },
  {
    file: "packages/agents/src/model/openai/transport.ts",
    bound: "the request to the model",
    expressions: ['/"stream":true/'],
  },
  {
    file: "packages/agents/src/orchestration/plan.ts",
    bound: "MAX_BODY_BYTES; the model's output tokens",
    expressions: ["/^[a-z0-9_-]{1,64}$/"],
  },
  {
    file: "packages/agents/src/orchestration/results.ts",
    bound: "the model's output tokens",
    expressions: ["/<(?=[\\s/]*result)/gi", "/[[【]\\d{1,3}(?: ?[,，、] ?\\d{1,3}){0,20}[\\]】]/g", "/\\d+/g"],
  },
  {
    file: "packages/agents/src/registry/source-places.ts",
    bound: "MAX_FRAME_CHARS: a line of a stack, whose message may quote a client",
    maxChars: 500,
    expressions: ["/(?<=^|[( ])((?:file:\\/\\/)?\\/.*?):(\\d+)(?=:\\d|$)/gm"],
  },
  {
    file: "packages/agents/src/documents/decode-text.ts",
    bound: "the 40 characters behind a mark",
    maxChars: 40,
    expressions: ["/^[\"']?([a-z0-9_:.-]+)/"],
  },
  {
    file: "packages/agents/src/retrieval/chunk-document.ts",
    bound: "MAX_DOCUMENT_BYTES",
    expressions: ["/\\s{3,}/g", "/^(?:[ \\t\\r]*\\n)+/"],
  },
  {
    file: "packages/agents/src/retrieval/document-blocks.ts",
    bound: "MAX_DOCUMENT_BYTES",
    expressions: [
      "/!?\\[([^\\][]*)\\]\\([^()]*\\)/g",
      "/(?:^|[ \\t])#+$/",
      "/[`*]/g",
      "/^ {0,3}(#{1,6})(?:[ \\t]+(.*))?$/s",
      "/^ {0,3}(=+|-{2,})$/",
      "/^\\s*(`{3,}|~{3,})/",
      "/^\\s*\\|/",
    ],
  },
  {
    file: "packages/agents/src/retrieval/split-span.ts",
    bound: "MAX_DOCUMENT_BYTES",
    expressions: [
      "/[ \\t]/",
      "/[\"'”’」』）)\\]*`]/",
      "/[.!?。！？；…]+|\\n(?=[ \\t]*(?:[-*+•]|\\d{1,3}[.)])\\s)/g",
      "/[。！？；…]$/",
      "/\\s/",
    ],
  },
  {
    file: "packages/agents/src/retrieval/term-weights.ts",
    bound: "one or two characters, with at most 30 marks",
    maxChars: 62,
    expressions: ["/\\p{sc=Han}|\\p{ExtPict}/u", "/^\\p{sc=Hira}{2}$/u"],
  },
  {
    file: "packages/agents/src/retrieval/terms.ts",
    bound: "a query of 65,536 characters; a chunk",
    expressions: [
      "/(?<=\\d),(?=\\d{3}(?!\\d))/g",
      "/([\\p{M}\\uff9e\\uff9f]{30})[\\p{M}\\uff9e\\uff9f]+/gu",
      "/[\\p{L}\\p{M}\\p{N}_]+(?:(?:-|(?<=\\p{N})\\.(?=\\p{N}))[\\p{L}\\p{M}\\p{N}_]+)*(?:\\+\\+|#(?![\\p{L}\\p{N}]))?|\\p{RI}{2}|\\p{ExtPict}/gu",
      "/([\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Yi}\\p{sc=Hang}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}]+)/u",
      "/[-_.+#]+|(?<=\\p{Ll})(?=\\p{Lu})|(?<=\\p{Lu})(?=\\p{Lu}\\p{Ll})|(?<=\\p{N})(?=\\p{L})|(?<=[\\p{L}\\p{M}])(?=\\p{N})/u",
      "/[-_]+/g",
      "/[\\u0300-\\u036f\\u064b-\\u065f\\u0670]+/g",
      "/\\P{M}\\p{M}*|\\p{M}+/gu",
      "/\\p{Variation_Selector}|\\u00ad|\\u200d|\\u2060|\\ufeff/gu",
      "/^[\\0-\\x7f]*$/",
      "/^[a-z]+$/",
    ],
  },
  {
    file: "packages/agents/src/retrieval/terms.ts",
    bound: "MAX_WORD_CHARS",
    maxChars: 48,
    expressions: ["/(?:(ie)s|s)$/", "/(?:ss|us|is)$/", "/([bdfgmnprt])\\1$/", "/[aeiouy].*[^aeiou]$|[aeiou]{2}$/"],
  },
  {
    file: "packages/agents/src/tools/calculator/lexer.ts",
    bound: "the model's output tokens",
    expressions: [
      "/(?<name>[A-Za-z_]\\w*|π)/",
      "/(?<number>(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?)/",
      "/(?<other>.)/",
      "/(?<space>\\s+)/",
      "/(?<symbol>\\*\\*|[-+*/%^!(),])/",
      "/[×·⋅÷−–\\uff01-\\uff5e]/g",
    ],
  },
  {
    file: "packages/agents/src/tools/http-fetch.ts",
    bound: "200 characters, by the schema",
    expressions: ["/^[\\x20-\\x7e]*$/"],
  },
  {
    file: "packages/agents/src/tools/http-fetch/allowed-hosts.ts",
    bound: "4,000 characters of a URL, by the schema",
    expressions: ["/\\.$/", "/^\\[(.*)\\]$/"],
  },
  {
    file: "packages/agents/src/tools/http-fetch/read-text.ts",
    bound: "undici's limit of a response's head, 16 KiB",
    expressions: [
      '/;\\s*charset="?([^\\s";]+)/i',
      "/^(text\\/.*|application\\/(json|xml|javascript|ecmascript|yaml|x-yaml|toml|x-ndjson|jsonl)|.*\\+(json|xml|yaml))$/",
    ],
  },
  {
    file: "packages/agents/src/tools/mcp/tool-names.ts",
    bound: "an answer of the operator's MCP server",
    expressions: ["/[^a-zA-Z0-9_-]/g"],
  },
  {
    file: "packages/shared/src/contract/knowledge.ts",
    bound: "MAX_BODY_BYTES; Node's limit of a request's head, 16 KiB",
    expressions: ["/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/"],
  },
  {
    file: "packages/shared/src/logging/redact.ts",
    bound: "500 characters of a path or an error; what an agent logs",
    expressions: [
      "/(?<=:\\/\\/)[^\\s/@\"']+@/g",
      "/\\b((?:api[-_ ]?key|authorization|password|passwd|secret|token|cookie)\\\\?[\"']?\\s*[:=]\\s*\\\\?[\"']?)[^\\s\"'\\\\,;}]{4,}/gi",
      "/\\b(?:sk|ap|pk|rk)[-_][A-Za-z0-9_*.-]{8,}/g",
      "/\\b(Bearer|Basic)\\s+[A-Za-z0-9._~+/=-]{6,}/gi",
    ],
  },
  {
    file: "packages/agents/src/adapters/framework-errors.ts",
    bound: "the stack of an error, which quotes its message: linear",
    expressions: ["/[\\\\/]openai[\\\\/]core[\\\\/]streaming\\./"],
  },
];
