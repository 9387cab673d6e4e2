/**
 * How tests are written: titles that stand alone in a list, Redis keys and fields spelt in one place, and no result
 * that depends on the speed of the machine.
 */
import { describe, expect, test } from "vitest";
import { readSources, type Source } from "../support/sources.ts";
import { SQLITE_ONLY } from "../support/sqlite-only.ts";

/** Left out: this file quotes what it forbids. */
const sources = readSources().filter(({ file }) => file !== "test/architecture/test-habits.test.ts");
const tests = sources.filter(({ file }) => file.endsWith(".test.ts"));
/** Tests of the whole platform, with what they share. */
const platformTests = sources.filter(({ file }) => /^test\/(integration|e2e|support|fixtures)\//.test(file));
/** The evidence of a chaos run shares no code with the product, so it has to spell the keys itself. */
const EVIDENCE = "test/chaos/evidence.ts";
const redisUsers = [
  ...platformTests,
  ...sources.filter(({ file }) => /^test\/(chaos|bench\/scenarios)\//.test(file) && file !== EVIDENCE),
];

const filesWith = (pattern: RegExp, among: readonly Source[]) =>
  among.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

const TITLE = /\b(?:test|it)\(\s*(["'`])((?:\\.|(?!\1).)*)\1/gs;
/** The first string that is passed to what `each` returned. */
const TITLE_OF_EACH = /\b(?:test|it)\.(?:each|for)\b.*?\)\(\s*(["'`])((?:\\.|(?!\1).)*)\1/gs;

const titlesOf = ({ text }: Source): string[] =>
  [TITLE, TITLE_OF_EACH].flatMap((pattern) => [...text.matchAll(pattern)].map(([, , title = ""]) => title));

/** A title that begins like this has its subject in another title, or has none. */
const LEANING = [
  /^(it|its|they|their|them|he|his|she|her|this|that|these|those|ones?|who|whoever|which)\b/i,
  /^(the same|the other|the others|the former|the latter|another's|others)\b/i,
  /^(so|and|or|nor|neither|but|then|also|too|likewise|again|still|otherwise|instead|except|twice|even)\b/i,
  /^(are|is|has|have|takes?|runs?|refuses?|may|does|do|can|waits?|keeps?|returns?|gives?|lists?)\b/i,
];

const leaningTitlesOf = (source: Source) => titlesOf(source).filter((title) => LEANING.some((way) => way.test(title)));

describe("test titles", () => {
  test("a title names its own subject", () => {
    const leaning = tests.flatMap((source) => leaningTitlesOf(source).map((title) => `${source.file}: ${title}`));
    expect(leaning).toEqual([]);
  });

  test("the check finds titles in every test file", () => {
    // A contract brings the tests of its callers.
    const own = tests.filter(({ text }) => !/Contract\(/.test(text));
    expect(own.filter((source) => titlesOf(source).length === 0).map(({ file }) => file)).toEqual([]);
  });
});

describe("Redis in tests, chaos runs and benchmarks", () => {
  test("BullMQ's key names and fields are spelt in support/bullmq.ts only", () => {
    const keyNames = /:(lock|wait|active|delayed|failed|completed|paused|prioritized|stalled)[`"']/;
    const fields = /\b(finishedOn|processedOn|failedReason|stalledCounter|removeOnFail|attemptsStarted)\b/;
    const places = new Set([...filesWith(keyNames, redisUsers), ...filesWith(fields, redisUsers)]);
    expect([...places]).toEqual(["test/support/bullmq.ts"]);
  });

  test("the fields of a job's state are spelt in support/job-state.ts only", () => {
    expect(filesWith(/\b(unfinished_attempts|isolated_after|blocking_token)\b/, redisUsers)).toEqual([
      "test/support/job-state.ts",
    ]);
    // Other fields share their names with columns and events, so tests may not read or write hashes themselves.
    const users = filesWith(/\.h(set|get|mget|getall|incrby|del|exists)\(/, redisUsers);
    const recordings = ["test/support/former-version.ts", "test/support/record-version.ts"];
    expect(users.sort()).toEqual(["test/support/bullmq.ts", ...recordings, "test/support/job-state.ts"].sort());
  });
});

describe("time in tests", () => {
  /** Files that pause for another reason than to wait for a state, each with the reason. */
  const PAUSING: Readonly<Record<string, string>> = {
    "test/support/wait-for.ts": "waits between two checks of a condition",
    "test/fixtures/mcp/http-server.ts": "a server that refuses calls one after the other",
    "test/fixtures/agents/counting-tools.ts": "waits between two checks of a file",
    "test/e2e/follower-leaks.test.ts": "clients disconnect after random times",
    "test/e2e/client-cuts.test.ts": "an API is away for a time",
    "test/support/cutting-proxy.ts": "closes connections after a time",
    "test/e2e/many-streams.test.ts": "clients connect after random times",
    "test/e2e/watched-agents.test.ts": "agents under test take a time",
    "test/e2e/takeover.test.ts": "a worker and Redis are stopped for a time",
    "test/integration/held-responses.test.ts": "a proxy closes silent connections after a time",
    "test/integration/redis-outage.test.ts": "requests are spread over an outage",
    "test/integration/silent-links.test.ts": "a process is stopped for a time",
    "test/integration/wal.test.ts": "readers hold their snapshots for a time",
    "test/integration/plugins.test.ts": "plugins under test fail after a time",
    "test/support/process-inspector.ts": "names the prototype of timers",
  };

  test("a platform test waits for a condition, not for a time", () => {
    const pausing = filesWith(/\bsetTimeout\b/, platformTests);
    expect(pausing.sort()).toEqual(Object.keys(PAUSING).sort());
  });

  test("no test asserts how long something took", () => {
    const elapsed = /performance\.now\(\)\s*-|expect\([^;]*?Date\.now\(\)[^;]*?\)\.toBeLess/;
    const named = /\b(took|elapsed\w*|gaps?|duration\w*)\)\.toBeLess/i;
    expect([...filesWith(elapsed, tests), ...filesWith(named, tests)]).toEqual([]);
  });
});

test("every test file that is left out on PostgreSQL exists, and says why", () => {
  const files = tests.map(({ file }) => file);
  expect(Object.keys(SQLITE_ONLY).filter((file) => !files.includes(file))).toEqual([]);
  expect(Object.values(SQLITE_ONLY).filter((reason) => reason.length < 10)).toEqual([]);
});
