/**
 * On real servers: the official "everything" server, and one that does what servers should not. Whatever a server does
 * costs its own calls only; it is there again for the next ones, and leaves no process behind.
 */
import { randomUUID } from "node:crypto";
import { getEventListeners } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Retriever } from "@agent-paas/agents/retrieval/retriever.ts";
import { McpServersSchema } from "@agent-paas/agents/tools/mcp/mcp-config.ts";
import type { McpLimits } from "@agent-paas/agents/tools/mcp/mcp-limits.ts";
import { createMcpTools, type McpTools } from "@agent-paas/agents/tools/mcp/mcp-tools.ts";
import { assertToolName, type Tool } from "@agent-paas/agents/tools/tool.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { afterEach, describe, expect, test } from "vitest";
import { everythingAtUrl, everythingServer } from "../fixtures/mcp/everything-server.ts";
import { startHttpMcpServer } from "../fixtures/mcp/http-server.ts";
import { findProcess, processTree, stillRunning } from "../support/process-tree.ts";
import { waitFor } from "../support/wait-for.ts";

const FAULTY = resolve(import.meta.dirname, "../fixtures/mcp/faulty-server.ts");

const LIMITS: McpLimits = {
  openMs: 10 * SECOND,
  pingMs: 500,
  awayMs: 10 * SECOND,
  firstPauseMs: 50,
  longestPauseMs: 200,
};

type LogLine = { readonly fields: Record<string, unknown>; readonly text: string };

/** Released after each test, whatever became of it. */
const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
});

const node = (...args: string[]) => ({ command: process.execPath, args });

function start(servers: object, limits: Partial<McpLimits> = {}) {
  const log: LogLine[] = [];
  const write = (fields: object, text: string) => void log.push({ fields: { ...fields }, text });
  const logger = { debug: write, info: write, warn: write };
  const tools = createMcpTools(McpServersSchema.parse(JSON.stringify(servers)), logger, { ...LIMITS, ...limits });
  releases.push(() => tools.close());
  tools.start();
  return { tools, log };
}

async function startListed(server: object, limits: Partial<McpLimits> = {}) {
  const started = start({ s: server }, limits);
  await waitFor("the list of tools", () => started.tools.list().length > 0);
  return started;
}

function toolOf(tools: McpTools, name: string): Tool {
  const tool = tools.list().find((each) => each.name === `s__${name}`);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return tool;
}

async function call(tools: McpTools, name: string, args: object = {}, signal = AbortSignal.timeout(15 * SECOND)) {
  const tool = toolOf(tools, name);
  const context = { jobId: "j", callId: "c", signal, logger: console, retriever: {} as Retriever, collection: null };
  return tool.call(tool.parse(args), context);
}

describe("the everything server", () => {
  /** Found by its command line, which has a word of its own. */
  const marked = () => {
    const mark = `mark-${randomUUID()}`;
    const pid = () => waitFor("the server's process", async () => findProcess(await processTree(process.pid), mark));
    return { server: everythingServer(mark), pid };
  };

  test("lists its tools and answers calls", async () => {
    const { tools } = start({ s: everythingServer(), mute: node(FAULTY, "mute") });
    expect(tools.list()).toEqual([]);
    expect([tools.expects("s__echo"), tools.expects("other__echo")]).toEqual([true, false]);
    await waitFor("the list of tools", () => tools.list().length > 0);
    expect([tools.expects("s__none"), tools.expects("mute__tool")]).toEqual([false, true]);

    const sum = toolOf(tools, "get-sum");
    expect(sum).toMatchObject({ idempotent: true, parameters: { type: "object", required: ["a", "b"] } });
    expect(sum.description).toContain("sum of two numbers");
    expect(toolOf(tools, "toggle-simulated-logging").idempotent).toBe(false);

    expect(await call(tools, "echo", { message: "hi" })).toBe("Echo: hi");
    expect(await call(tools, "get-sum", { a: 2, b: 3 })).toContain("5");
    expect(await call(tools, "get-tiny-image")).toContain("[image image/png, 4 kB]");
    await expect(call(tools, "get-sum", { a: "two", b: 3 })).rejects.toThrow(
      "The arguments do not fit: a must be number",
    );
    await expect(call(tools, "gzip-file-as-resource", { data: "no-url" })).rejects.toThrow(/URL/i);
  });

  test("killed during a call: the call fails at once, the next one is answered", async () => {
    const { server, pid } = marked();
    const { tools } = await startListed(server);
    const long = call(tools, "trigger-long-running-operation", { duration: 60 });
    const echo = call(tools, "echo", { message: "before" });
    expect(await echo).toBe("Echo: before");
    process.kill(await pid(), "SIGKILL");
    await expect(long).rejects.toThrow('The server "s" was lost during the call');
    expect(await call(tools, "echo", { message: "after" })).toBe("Echo: after");
  });

  test("stopped during a call: it is replaced after the call's time, with all calls that it holds", async () => {
    const { server, pid } = marked();
    const { tools } = await startListed(server);
    const stopped = await pid();
    process.kill(stopped, "SIGSTOP");
    const patient = call(tools, "echo", { message: "patient" });
    const hasty = call(tools, "echo", { message: "hasty" }, AbortSignal.timeout(300));
    await expect(hasty).rejects.toThrow("timeout");
    await expect(patient).rejects.toThrow("was lost during the call");
    expect(await call(tools, "echo", { message: "after" })).toBe("Echo: after");
    await waitFor("the end of the stopped process", async () => (await stillRunning([stopped])).length === 0);
  });

  test("over streamable HTTP: calls, a call out of time, and a server that is restarted during a call", async () => {
    const everything = await everythingAtUrl();
    const serve = () => {
      const child = everything.serve();
      releases.push(() => child.kill());
      return child;
    };
    const first = serve();
    // Connected before the server listens: the first tries fail.
    const { tools } = await startListed({ url: everything.url });
    expect(await call(tools, "echo", { message: "hi" })).toBe("Echo: hi");
    const slow = call(tools, "trigger-long-running-operation", { duration: 60 }, AbortSignal.timeout(300));
    await expect(slow).rejects.toThrow("timeout");
    const long = call(tools, "trigger-long-running-operation", { duration: 60 });
    expect(await call(tools, "echo", { message: "meanwhile" })).toBe("Echo: meanwhile");
    await Promise.all([expect(long).rejects.toThrow("was lost during the call"), first.kill()]);
    const next = call(tools, "echo", { message: "after" });
    await serve().ready(10 * SECOND);
    expect(await next).toBe("Echo: after");
  });
});

describe("a server that does what it should not", () => {
  test("its answers, of whatever kind, and its failures are told in words", async () => {
    const { tools, log } = await startListed(node(FAULTY));
    expect(await call(tools, "structured")).toEqual({ answer: 42 });
    expect(await call(tools, "parts")).toBe(
      [
        "two pictures",
        "[image image/png, 12 kB]",
        "[audio audio/wav, 0 bytes]",
        "[resource file:///a.txt text/plain]",
        "inside",
        "[resource file:///b.bin of unknown type, 12 kB]",
        "[resource c at file:///c.txt: more]",
      ].join("\n"),
    );
    await expect(call(tools, "fail")).rejects.toThrow(/^no such file$/);
    await expect(call(tools, "refuse")).rejects.toThrow("the disk is full");
    await expect(call(tools, "babble")).rejects.toThrow("its answer is not what the protocol has");
    expect(await call(tools, "noise")).toBe("said");
    await waitFor("the last words", () => log.some(({ fields }) => fields.note === "last words"));
    expect(Math.max(...log.map((line) => JSON.stringify(line).length))).toBeLessThan(1_200);
    expect(() => toolOf(tools, "count").parse({ to: 1.5 })).toThrow("to must be integer");
    expect(() => toolOf(tools, "count").parse("5")).toThrow("expected an object");
    expect(await call(tools, "odd", { a: 1 })).toBe("odd");
  });

  test("what it lists is named for providers, and left out where it cannot be called", async () => {
    const { tools } = await startListed(node(FAULTY));
    const names = tools.list().map(({ name }) => name);
    for (const name of names) assertToolName(name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("s__go_deaf");
    expect(names.filter((name) => /task|without-schema|deep-schema/.test(name))).toEqual([]);
    expect(["pid", "environment", "go_deaf"].map((name) => toolOf(tools, name).idempotent)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("a list without end is cut", async () => {
    const { tools } = await startListed(node(FAULTY, "huge"));
    expect(tools.list()).toHaveLength(200);
    expect(tools.list()[0]?.description).toHaveLength(2_000);
  });

  test("a list that changes is read again", async () => {
    const { tools, log } = await startListed(node(FAULTY));
    await call(tools, "grow");
    await waitFor("the new tool", () => tools.list().some(({ name }) => name === "s__grown"));
    expect(log.filter(({ text }) => text === "MCP server listed its tools")).toHaveLength(2);
  });

  test("it gets its own settings and nothing of this process's secrets", async () => {
    process.env.MCP_TEST_SECRET = "secret";
    releases.push(async () => delete process.env.MCP_TEST_SECRET);
    const { tools } = await startListed({ ...node(FAULTY), env: { OWN: "own" } });
    const environment = JSON.parse(String(await call(tools, "environment")));
    expect(environment).toMatchObject({ OWN: "own", PATH: process.env.PATH });
    expect(environment).not.toHaveProperty("MCP_TEST_SECRET");
  });

  test("a call that it does not answer costs that call alone", async () => {
    const { tools } = await startListed(node(FAULTY));
    const before = await call(tools, "pid");
    await expect(call(tools, "hang", {}, AbortSignal.timeout(200))).rejects.toThrow("timeout");
    expect(await call(tools, "pid")).toBe(before);
  });

  test("one that answers no more is replaced", async () => {
    const { tools, log } = await startListed(node(FAULTY));
    const before = await call(tools, "pid");
    const deaf = tools.list().find(({ name }) => /^s__go_deaf_/.test(name));
    await expect(call(tools, deaf?.name.slice(3) ?? "", {}, AbortSignal.timeout(200))).rejects.toThrow("timeout");
    await waitFor("its loss", () => log.some(({ text }) => text.startsWith("MCP server is away")));
    expect(await call(tools, "pid")).not.toBe(before);
    expect(await stillRunning([Number(before)])).toEqual([]);
  });

  test.each(["die", "flood"])(
    "one that does not survive a call (%s) is lost, with its last words in the log",
    async (tool) => {
      const { tools, log } = await startListed(node(FAULTY));
      await expect(call(tools, tool)).rejects.toThrow("was lost during the call; whether it took effect is not known");
      expect(await call(tools, "pid")).toMatch(/^\d+$/);
      const lost = log.find(({ text }) => text.startsWith("MCP server is away"));
      expect(JSON.stringify(lost)).toContain(tool === "die" ? "exit code 7" : "maximum size");
    },
  );

  test("one that never answers is tried again and again, and costs no other its tools", async () => {
    const { tools, log } = start(
      { mute: node(FAULTY, "mute"), none: { command: "/no/such/command" }, s: node(FAULTY) },
      { openMs: 2 * SECOND },
    );
    const triesOf = (server: string) =>
      log.filter(({ fields }) => fields.mcp_server === server && fields.reason).length;
    await waitFor("the third try", () => triesOf("mute") >= 2 && triesOf("none") >= 2);
    await waitFor("the list of tools", () => tools.list().length > 0);
    expect(await call(tools, "pid")).toMatch(/^\d+$/);
    expect([tools.expects("mute__x"), tools.expects("none__x"), tools.expects("s__x")]).toEqual([true, true, false]);
  });

  test("while it is away its tools stay, and calls say so; when it is back, calls are answered", async () => {
    const present = join(tmpdir(), `mcp-${randomUUID()}`);
    await writeFile(present, "");
    releases.push(() => rm(present, { force: true }));
    const script = `test -e ${present} && exec ${process.execPath} ${FAULTY}`;
    const { tools } = await startListed({ command: "sh", args: ["-c", script] }, { awayMs: 500 });
    await rm(present);
    await expect(call(tools, "die")).rejects.toThrow("was lost");
    await expect(call(tools, "pid")).rejects.toThrow('The server "s" of this tool is away');
    await expect(call(tools, "pid", {}, AbortSignal.timeout(100))).rejects.toThrow("timeout");
    await writeFile(present, "");
    await waitFor("an answer", () => call(tools, "pid").catch(() => undefined));
  });

  test("thousands of calls leave nothing on a signal that they share", async () => {
    const { tools } = await startListed(node(FAULTY));
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 100 }, () => call(tools, "pid", {}, signal)));
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test.each(["plain", "stubborn", "runner", "mute"])("close leaves no process of it behind (%s)", async (mode) => {
    const mark = `mark-${randomUUID()}`;
    const { tools } = start({ s: node(FAULTY, mode, mark) });
    const leader = await waitFor("its process", async () => findProcess(await processTree(process.pid), mark));
    if (mode !== "mute") await waitFor("the list of tools", () => tools.list().length > 0);
    const tree = await processTree(leader);
    expect(tree).toHaveLength(mode === "runner" ? 2 : 1);
    const running = mode === "mute" ? [] : [call(tools, "hang")];
    const failed = Promise.all(running.map((each) => expect(each).rejects.toThrow("lost")));
    await tools.close();
    await failed;
    expect(await stillRunning(tree)).toEqual([]);
  });
});

describe("over streamable HTTP", () => {
  async function serve() {
    const server = await startHttpMcpServer({ key: "k" });
    releases.push(() => server.close());
    return server;
  }

  test("it gets the headers of the settings; without the right ones it stays away", async () => {
    const { url } = await serve();
    const { tools, log } = start({ s: { url, headers: { "X-Key": "k" } }, wrong: { url, headers: { "X-Key": "no" } } });
    await waitFor("the list of tools", () => tools.list().length > 0);
    expect(await call(tools, "echo")).toBe("echoed");
    await waitFor("the refusal", () => log.some(({ fields }) => String(fields.reason).startsWith("HTTP 401")));
    expect(tools.expects("wrong__echo")).toBe(true);
    expect(JSON.stringify(log)).not.toContain("X-Key");
  });

  test("a session that the server has forgotten is begun anew, and the call is made once", async () => {
    const server = await serve();
    const { tools } = await startListed({ url: server.url, headers: { "X-Key": "k" } });
    server.forgetSessions();
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(tools, "echo")));
    expect(answers).toEqual(Array(10).fill("echoed"));
    expect([server.calls.get("echo"), server.sessions()]).toEqual([10, 2]);
  });

  test.each(["flood", "flood-stream"])(
    "an answer without end (%s) is broken off, and the next call is made",
    async (name) => {
      const server = await serve();
      const { tools } = await startListed({ url: server.url, headers: { "X-Key": "k" } });
      await expect(call(tools, name, {}, AbortSignal.timeout(2 * SECOND))).rejects.toThrow(/exceeds|timeout/);
      expect(server.flooded()).toBeLessThan(30_000_000);
      expect(await call(tools, "echo")).toBe("echoed");
    },
  );

  test("calls that were given up leave no stream open", async () => {
    const server = await serve();
    const { tools } = await startListed({ url: server.url, headers: { "X-Key": "k" } });
    const giveUp = new AbortController();
    const calls = Array.from({ length: 20 }, () => call(tools, "hang", {}, giveUp.signal));
    await waitFor("20 streams", () => server.openCalls() === 20);
    giveUp.abort(new Error("given up"));
    await Promise.all(calls.map((each) => expect(each).rejects.toThrow("given up")));
    await waitFor("the end of the streams", () => server.openCalls() === 0);
    expect(await call(tools, "echo")).toBe("echoed");
    expect(server.sessions()).toBe(1);
  });
});
