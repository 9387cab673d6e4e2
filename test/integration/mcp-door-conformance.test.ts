/**
 * The official conformance tests for MCP servers, in each revision that they know. What an agent can do as a tool has
 * an agent under the name that the tests call; what does not apply is listed with the reason, and leaves the list when
 * it passes after all.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { MINUTE } from "@agent-paas/shared/time.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KeyedProxy, startKeyedProxy } from "../support/keyed-proxy.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";

const TOOL = join(ROOT, "node_modules/@modelcontextprotocol/conformance-next/dist/index.js");

const TEXT_ONLY = "an agent's answer is a text";
const NO_RESOURCES = "there are no resources";
const NO_PROMPTS = "there are no prompts";
const NO_SAMPLING = "agents ask the platform's models, and never the client's";
const NO_LOGGING = "deprecated by the protocol; a level set by one request would have to be known to the next";
const OWN_SCHEMA = "a tool's schema is the platform's, with the agent's config in it";
const OWN_KEYS = "a question's key is the id of the job's inquiry";
const NO_EXTENSION = "an extension that the door does not have";

/** With how many checks of a scenario fail where others pass. */
const PARTLY: Readonly<Record<string, { readonly failed: number; readonly why: string }>> = {
  "server-stateless": { failed: 2, why: NO_SAMPLING },
  caching: { failed: 3, why: `${NO_RESOURCES}, ${NO_PROMPTS}` },
};

const EXCEPTIONS: Readonly<Record<string, string>> = {
  "logging-set-level": NO_LOGGING,
  "tools-call-with-logging": NO_LOGGING,
  "completion-complete": "there is nothing to complete",
  "tools-call-image": TEXT_ONLY,
  "tools-call-audio": TEXT_ONLY,
  "tools-call-embedded-resource": TEXT_ONLY,
  "tools-call-mixed-content": TEXT_ONLY,
  "tools-call-sampling": NO_SAMPLING,
  "json-schema-2020-12": OWN_SCHEMA,
  "http-custom-header-server-validation": OWN_SCHEMA,
  "elicitation-sep1330-enums": "an agent's question has no oneOf and anyOf, which may be slow to check",
  "resources-list": NO_RESOURCES,
  "resources-read-text": NO_RESOURCES,
  "resources-read-binary": NO_RESOURCES,
  "resources-templates-read": NO_RESOURCES,
  "resources-subscribe": NO_RESOURCES,
  "resources-unsubscribe": NO_RESOURCES,
  "prompts-list": NO_PROMPTS,
  "prompts-get-simple": NO_PROMPTS,
  "prompts-get-with-args": NO_PROMPTS,
  "prompts-get-embedded-resource": NO_PROMPTS,
  "prompts-get-with-image": NO_PROMPTS,
  "input-required-result-basic-elicitation": OWN_KEYS,
  "input-required-result-multiple-input-requests": OWN_KEYS,
  "input-required-result-multi-round": OWN_KEYS,
  "input-required-result-request-state": OWN_KEYS,
  "input-required-result-basic-sampling": NO_SAMPLING,
  "input-required-result-capability-check": NO_SAMPLING,
  "input-required-result-basic-list-roots": "agents read no folders of the client",
  "input-required-result-non-tool-request": NO_PROMPTS,
};

/** They find nothing to test, and report no failure. */
const UNTESTED: Readonly<Record<string, string>> = {
  "server-sse-polling": "no agent can end the stream of its call",
};

const ALWAYS = ["tools-list", "tools-call-simple-text", "tools-call-error", "tools-call-with-progress"];
const WITH_HANDSHAKE = ["server-initialize", "server-session-lifecycle", "ping", "tools-call-elicitation"];
const SINCE_2025_11_25 = ["server-sse-multiple-streams", "dns-rebinding-protection"];

const PASSED: Readonly<Record<string, readonly string[]>> = {
  "2025-06-18": [...ALWAYS, ...WITH_HANDSHAKE],
  "2025-11-25": [...ALWAYS, ...WITH_HANDSHAKE, ...SINCE_2025_11_25, "elicitation-sep1034-defaults"],
  "2026-07-28": [
    ...ALWAYS,
    ...SINCE_2025_11_25,
    "http-header-validation",
    "sep-2164-resource-not-found",
    "input-required-result-missing-input-response",
    "input-required-result-result-type",
    "input-required-result-unsupported-methods",
    "input-required-result-tampered-state",
    "input-required-result-ignore-extra-params",
    "input-required-result-validate-input",
  ],
};

let platform: TestPlatform;
let proxy: KeyedProxy;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { AGENTS_DIR: join(ROOT, "test/fixtures/mcp-agents") } });
  // The tool knows no keys.
  proxy = await startKeyedProxy(platform.alice.origin, KEYS.alice);
});
afterAll(async () => {
  await proxy.stop();
  await platform.stop();
});

/** Runs the tool, which fails with its first scenario. */
const conformance = (...args: string[]): Promise<string> =>
  promisify(execFile)(process.execPath, [TOOL, ...args], { timeout: 4 * MINUTE, maxBuffer: 100_000_000 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
  );

type Outcome = { readonly name: string; readonly passed: number; readonly failed: number };

async function outcomesOf(version: string): Promise<readonly Outcome[]> {
  const where = ["--url", `${proxy.origin}/mcp`, "--suite", "all", "--spec-version", version];
  const [, summary = ""] = (await conformance("server", ...where)).split("=== SUMMARY ===");
  return [...summary.matchAll(/^\S (\S+): (\d+) passed, (\d+) failed/gm)].map(([, name = "", passed, failed]) => ({
    ...{ name, passed: Number(passed), failed: Number(failed) },
  }));
}

test.each(Object.keys(PASSED))(
  "with revision %s all scenarios pass but the listed ones",
  { timeout: 5 * MINUTE },
  async (version) => {
    const outcomes = await outcomesOf(version);
    const named = (those: readonly Outcome[]) => those.map(({ name }) => name).sort();
    const clean = outcomes.filter(({ name, failed }) => failed === 0 && !(name in UNTESTED));
    expect(named(clean)).toEqual([...(PASSED[version] ?? [])].sort());
    expect(clean.filter(({ passed }) => passed === 0)).toEqual([]);
    const partly = outcomes.filter(({ name }) => name in PARTLY);
    expect(partly.map(({ name, failed }) => [name, failed])).toEqual(
      partly.map(({ name }) => [name, PARTLY[name]?.failed]),
    );
    const others = outcomes.filter(({ name, failed }) => failed > 0 && !(name in PARTLY));
    expect(others.filter(({ name }) => !(name in EXCEPTIONS))).toEqual([]);
  },
);

test("each scenario is passed in some revision, or listed with the reason", async () => {
  const listed = [...(await conformance("list", "--server")).matchAll(/^ {2}- (\S+) \[(\S+)\]/gm)];
  const names = listed.filter(([, , versions]) => versions !== "extension").map(([, name = ""]) => name);
  const known = [...Object.values(PASSED).flat(), ...Object.keys({ ...EXCEPTIONS, ...PARTLY, ...UNTESTED })];
  expect(names.sort()).toEqual([...new Set(known)].sort());
  const extensions = listed.filter(([, , versions]) => versions === "extension").map(([, name = ""]) => name);
  expect(
    extensions.filter((name) => !/^(tasks|sep-2640-skills)-/.test(name)),
    NO_EXTENSION,
  ).toEqual([]);
});
