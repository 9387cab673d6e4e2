/**
 * Text of a client must not be able to hold up a process: every regular expression of the product and every call that
 * is not linear is listed with its bound, and what clients can reach meets 64 KB of hostile text here.
 */
import { describe, expect, test } from "vitest";
import { citedIn } from "../../packages/agents/src/agents/citations.ts";
import { countTokens } from "../../packages/agents/src/model/tokens.ts";
import { cut, fence } from "../../packages/agents/src/orchestration/results.ts";
import { foreignPlaceIn } from "../../packages/agents/src/registry/source-places.ts";
import { readBlocks } from "../../packages/agents/src/retrieval/document-blocks.ts";
import { LINES, PROSE, splitSpan } from "../../packages/agents/src/retrieval/split-span.ts";
import { finerTermsOf, termsOf } from "../../packages/agents/src/retrieval/terms.ts";
import { tokenize } from "../../packages/agents/src/tools/calculator/lexer.ts";
import { IdSchema } from "../../packages/shared/src/ids.ts";
import { createRedactor } from "../../packages/shared/src/logging/redact.ts";
import { readExpressions, writtenAs } from "../support/expressions.ts";
import { MOST_SCANS, slownessOf } from "../support/slowness.ts";
import { CLIENT_EXPRESSIONS } from "./client-expressions.ts";
import { PLATFORM_EXPRESSIONS } from "./platform-expressions.ts";
import { PLAYGROUND_EXPRESSIONS } from "./playground-expressions.ts";

const CHARS = 65_536;

/** Calls that are not linear in their input, or run what somebody else wrote: each with its bound. */
const CALLS: Readonly<Record<string, string>> = {
  "apps/api/src/doors/mcp/methods.ts sort": "the agents that workers offer",
  "apps/api/src/doors/platform/knowledge-document-body.ts normalize": "a function of its own, linear",
  "apps/api/src/jobs/job-steps.ts toSorted": "the 500 steps that are kept of a job",
  "apps/api/src/jobs/list-jobs.ts sort": "one page of the list",
  "apps/api/src/presence/agent-catalog.ts fromJSONSchema": "a schema of an agent, which the operator installs",
  "apps/api/src/presence/agent-catalog.ts sort": "the agents that workers offer",
  "apps/api/src/presence/platform-metrics.ts sort": "120 buckets at most, of durations of the platform",
  "apps/api/src/queue/waiting-jobs.ts sort": "one page of each of the two queues",
  "apps/playground/src/documents/passage-dialog.tsx sort": "the chunks that one person has read on",
  "apps/playground/src/documents/upload-list.tsx toSorted": "the files that one person has chosen",
  "apps/playground/src/forms/problems.ts RegExp": "of an agent's schema, in the browser of one person",
  "apps/playground/src/jobs/timeline.ts toSorted": "500 steps",
  "apps/worker/src/recovery/owner-index-sweep.ts sort": "three sets for each API key of whom jobs wait",
  "apps/worker/src/storage/move-rows.ts sort": "the columns of a table",
  "packages/agents/src/documents/decode-text.ts toSorted": "two encodings",
  "packages/agents/src/documents/pdf-lines.ts toSorted": "the sizes of a PDF's letters, DOCUMENT_READ_TIMEOUT_MS",
  "packages/agents/src/http/decode-body.ts createBrotliDecompress": "one coding; its reader bounds what it becomes",
  "packages/agents/src/http/decode-body.ts createGunzip": "one coding; its reader bounds what it becomes",
  "packages/agents/src/http/decode-body.ts createInflate": "one coding; its reader bounds what it becomes",
  "packages/agents/src/http/decode-body.ts createInflateRaw": "one coding; its reader bounds what it becomes",
  "packages/agents/src/json-schema/json-equality.ts Ajv2020": "only its type",
  "packages/agents/src/json-schema/schema-thread.ts Ajv2020": "schema-limits.ts, and 1 s of a thread of the pool",
  "packages/agents/src/json-schema/schema-thread.ts compile": "schema-limits.ts, and 1 s of a thread of the pool",
  "packages/agents/src/model/model-choice.ts toSorted": "the failures of six models",
  "packages/agents/src/model/openai/errors.ts toSorted": "four names of fields",
  "packages/agents/src/registry/agent-registry.ts fromJSONSchema": "a schema of an agent, when it is registered",
  "packages/agents/src/registry/plugins.ts sort": "the files of AGENTS_DIR",
  "packages/agents/src/retrieval/chroma-store.ts sort": "the chunks that a request may ask for, at most 50",
  "packages/agents/src/retrieval/search-collection.ts sort": "the candidates of one search, at most 2,000",
  "packages/agents/src/retrieval/terms.ts normalize": "30 marks on one character, and twice the length of the text",
  "packages/agents/src/tools/calculator/lexer.ts RegExp": "built from the expressions listed for the file",
  "packages/agents/src/tools/http-fetch/read-text.ts createBrotliDecompress": "one coding, 2 MiB in, 1 MiB out",
  "packages/agents/src/tools/http-fetch/read-text.ts createGunzip": "one coding, 2 MiB in, 1 MiB out",
  "packages/agents/src/tools/http-fetch/read-text.ts createInflate": "one coding, 2 MiB in, 1 MiB out",
  "packages/shared/src/contract/inquiries.ts fromJSONSchema": "plain-schema.ts, and answers of 16,000 characters",
  "packages/shared/src/db/postgres/write-lanes.ts compile": "a statement of the sources",
  "packages/shared/src/db/sqlite/write-queue.ts compile": "a statement of the sources",
  "packages/shared/src/db/statement.ts compile": "a statement of the sources",
  "packages/shared/src/logging/log-files.ts sort": "the log files of one process in LOG_DIR",
  "packages/shared/src/logging/log-retention.ts sort": "the log files in LOG_DIR",
  "packages/shared/src/redis/decisions.ts sort": "the fields of a decision, at most 5,000 in an object",
};

const found = readExpressions();

describe("the lists of expressions and calls", () => {
  test("every regular expression of the sources is listed, with its reach and its bound", () => {
    const inSources = new Set(found.expressions.map((expression) => `${expression.file} ${writtenAs(expression)}`));
    const lists = [...CLIENT_EXPRESSIONS, ...PLAYGROUND_EXPRESSIONS, ...PLATFORM_EXPRESSIONS];
    const listed = lists.flatMap(({ file, expressions }) => expressions.map((text) => `${file} ${text}`));
    expect(listed.toSorted()).toEqual([...inSources].sort());
  });

  test("every call that may take more than linear time is listed, with its bound", () => {
    expect(found.calls).toEqual(Object.keys(CALLS).sort());
  });
});

/** What begins, repeats or breaks off in all the formats that are read. */
const PARTS = [
  "a",
  "A",
  "1",
  " ",
  "\n",
  "\r",
  "\t",
  ".",
  "-",
  "/",
  "<",
  "[",
  "(",
  "`",
  "#",
  "|",
  "\\",
  '"',
  "'",
  "=",
  "中",
];
PARTS.push(
  "。",
  "é",
  "\u0301",
  "\uff9e",
  "\ufdfa",
  "😀",
  "a.",
  "a ",
  "\n ",
  "a://",
  "1.",
  "[1,",
  "[](",
  "<passage",
  "sk-",
);

/** The words and marks that an expression is written with, which lead deepest into it. */
const partsOf = (expression: string): string[] => {
  const written = expression.slice(1, expression.lastIndexOf("/")).replaceAll(/\\[a-zA-Z]|[{][^}]*[}]/g, " ");
  return [...new Set([...(written.match(/[a-zA-Z]{2,}/g) ?? []), ...(written.match(/[^\w\s^$*+?)|]/gu) ?? [])])].slice(
    0,
    9,
  );
};

const repeated = (part: string, chars: number): string => part.repeat(Math.ceil(chars / part.length)).slice(0, chars);

/** Repetitions of each part and of pairs of an expression's own parts, each with an end that nothing expects. */
function* hostileTexts(own: readonly string[], chars: number): Generator<string> {
  for (const part of [...PARTS, ...own]) {
    yield repeated(part, chars);
    for (const first of own) yield `${first}${repeated(part, chars)}`.slice(0, chars);
  }
  for (const one of own) for (const other of [...own, "a", "1", " "]) yield `${repeated(one + other, chars)}\0`;
}

/** The text on which the work is slowest, by its beginning, if that is beyond linear; null if it is linear on all. */
function slowestOf(texts: Iterable<string>, work: (text: string) => unknown): string | null {
  for (const text of texts) {
    const slowness = slownessOf(text, work);
    if (slowness > MOST_SCANS) return `${Math.round(slowness)} scans of ${JSON.stringify(text.slice(0, 40))}`;
  }
  return null;
}

const reachable = [...CLIENT_EXPRESSIONS, ...PLAYGROUND_EXPRESSIONS].flatMap(({ file, expressions, maxChars }) =>
  expressions.map((expression) => [`${expression} of ${file}`, expression, maxChars ?? CHARS] as const),
);

describe("hostile text of 64 KB", () => {
  test.each(reachable)(
    "the expression %s reads hostile text in linear time",
    { timeout: 60_000 },
    (_, expression, chars) => {
      const end = expression.lastIndexOf("/");
      const regExp = new RegExp(expression.slice(1, end), expression.slice(end + 1));
      const work = (text: string) => (regExp.global ? text.replace(regExp, "") : regExp.test(text));
      expect(slowestOf(hostileTexts(partsOf(expression), chars), work)).toBeNull();
    },
  );

  const withMessage = (message: string) =>
    Object.assign(new Error("x"), { stack: `Error: ${message}\n    at f (/a:1:1)` });
  const attempt = (work: () => unknown) => {
    try {
      work();
    } catch {
      // A refusal is an answer, too.
    }
  };
  const WORK: Readonly<Record<string, (text: string) => unknown>> = {
    "the log's scrubber": createRedactor(["exact-secret"]),
    "an id": (text) => IdSchema.safeParse(text),
    "the terms of a query": termsOf,
    "the finer terms of a query": finerTermsOf,
    "the blocks of a document": (text) => [...readBlocks(text, "markdown")],
    "the sentences of a document": (text) => [...splitSpan(text, { start: 0, end: text.length }, 300, PROSE)],
    "the lines of a document": (text) => [...splitSpan(text, { start: 0, end: text.length }, 300, LINES)],
    "the tokens of a message": countTokens,
    "the citations of an answer": (text) => citedIn(text, []),
    "the result of a step": (text) =>
      fence([{ step: { id: "a", agent: "b" }, outcome: { status: "completed", content: text } } as never]),
    "a result that is cut": (text) => cut(text, 1_000),
    "the calculator's expression": (text) => attempt(() => tokenize(text)),
    "the place of an error": (text) => foreignPlaceIn(withMessage(text)),
    "the place of an error of many lines": (text) => foreignPlaceIn(withMessage(text.replaceAll(/.{400}/gsu, "$&\n"))),
  };

  test.each(Object.keys(WORK))("%s takes linear time", { timeout: 60_000 }, (name) => {
    expect(
      slowestOf(hostileTexts(["( /", "://", "token ", "password", "Bearer "], CHARS), WORK[name] ?? (() => {})),
    ).toBeNull();
  });
});
