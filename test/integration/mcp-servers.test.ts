/**
 * MCP tools on real servers: the official "everything" server, and a faulty one. Whatever a server does fails its own
 * calls only; later calls are answered again, and no process is left behind.
 */
import { randomUUID } from "node:crypto";
import { getEventListeners } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SECOND } from "@agent-paas/shared/time.ts";
import { describe, expect, onTestFinished, test } from "vitest";
import { assertToolName, ToolError } from "../../packages/agents/src/tools/tool.ts";
import { everythingAtUrl, everythingServer } from "../fixtures/mcp/everything-server.ts";
import { begin, call, start, startListed, toolOf } from "../support/mcp-tools.ts";
import { findProcess, processTree, stillRunning } from "../support/process-tree.ts";
import { ROOT } from "../support/sources.ts";
import { waitFor } from "../support/wait-for.ts";

const FAULTY = join(ROOT, "test/fixtures/mcp/faulty-server.ts");

/** An error whose message the model reads. */
const toolError = (message: RegExp) => ({ name: "ToolError", message: expect.stringMatching(message) });
/** A call during which the server `s` was lost: the model reads which server, not an error of the transport. */
const LOST = toolError(/"s"/);
const TIMEOUT = { name: "TimeoutError" };

const node = (...args: string[]) => ({ command: process.execPath, args });

describe("tools of the official everything server", () => {
  /** A server whose process is found by a unique word in its command line. */
  const marked = () => {
    const mark = `mark-${randomUUID()}`;
    const pid = () => waitFor("the server's process", async () => findProcess(await processTree(process.pid), mark));
    return { server: everythingServer(mark), pid };
  };

  test("the tools of a server are listed, and their calls are answered", async () => {
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
    await expect(call(tools, "get-sum", { a: "two", b: 3 })).rejects.toMatchObject(toolError(/\ba must be number$/));
    await expect(call(tools, "gzip-file-as-resource", { data: "no-url" })).rejects.toThrow(/URL/i);
  });

  test("a server killed during a call fails the call at once, and the next call is answered", async () => {
    const { server, pid } = marked();
    const { tools } = await startListed(server);
    const long = call(tools, "trigger-long-running-operation", { duration: 60 });
    const echo = call(tools, "echo", { message: "before" });
    expect(await echo).toBe("Echo: before");
    process.kill(await pid(), "SIGKILL");
    await expect(long).rejects.toMatchObject(LOST);
    expect(await call(tools, "echo", { message: "after" })).toBe("Echo: after");
  });

  test("a server stopped during a call is replaced after the call's time limit, and all its calls fail", async () => {
    const { server, pid } = marked();
    const { tools } = await startListed(server);
    const stopped = await pid();
    process.kill(stopped, "SIGSTOP");
    const patient = call(tools, "echo", { message: "patient" });
    const hasty = call(tools, "echo", { message: "hasty" }, AbortSignal.timeout(300));
    await expect(hasty).rejects.toMatchObject(TIMEOUT);
    await expect(patient).rejects.toMatchObject(LOST);
    expect(await call(tools, "echo", { message: "after" })).toBe("Echo: after");
    await waitFor("the end of the stopped process", async () => (await stillRunning([stopped])).length === 0);
  });

  test("calls over streamable HTTP are answered, time out, and fail when the server is restarted", async () => {
    const everything = await everythingAtUrl();
    const serve = () => {
      const child = everything.serve();
      onTestFinished(async () => void (await child.kill()));
      return child;
    };
    const first = serve();
    // The link starts before the server listens, so its first tries fail.
    const { tools } = await startListed({ url: everything.url });
    expect(await call(tools, "echo", { message: "hi" })).toBe("Echo: hi");
    const slow = call(tools, "trigger-long-running-operation", { duration: 60 }, AbortSignal.timeout(300));
    await expect(slow).rejects.toMatchObject(TIMEOUT);
    const long = call(tools, "trigger-long-running-operation", { duration: 60 });
    expect(await call(tools, "echo", { message: "meanwhile" })).toBe("Echo: meanwhile");
    await Promise.all([expect(long).rejects.toMatchObject(LOST), first.kill()]);
    const next = call(tools, "echo", { message: "after" });
    await serve().ready(10 * SECOND);
    expect(await next).toBe("Echo: after");
  });
});

describe("tools of a faulty server", () => {
  test("results of every kind and failures become text for the model", async () => {
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
    expect(await call(tools, "babble")).toBe("?");
    expect(await call(tools, "noise")).toBe("said");
    await waitFor("the last words", () => log.some(({ fields }) => fields.note === "last words"));
    expect(Math.max(...log.map((line) => JSON.stringify(line).length))).toBeLessThan(1_200);
    await expect(toolOf(tools, "count").parse({ to: 1.5 })).rejects.toThrow(/\bto must be integer$/);
    await expect(toolOf(tools, "count").parse("5")).rejects.toThrow(ToolError);
  });

  test("listed tools get names that providers accept, and tools that cannot be offered are left out by name", async () => {
    const { tools, log } = await startListed(node(FAULTY));
    const names = tools.list().map(({ name }) => name);
    for (const name of names) assertToolName(name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("s__go_deaf");
    expect(names.filter((name) => /task|odd|deep-schema/.test(name))).toEqual([]);
    expect(toolOf(tools, "without-schema").parameters).toEqual({ type: "object" });
    const warning = log.find(({ text }) => text.includes("some cannot be offered"));
    expect(warning?.fields.left_out).toEqual([
      expect.stringMatching(/^odd: .*example\.com\/none/),
      expect.stringMatching(/^task: /),
      expect.stringMatching(/^deep-schema: /),
    ]);
    expect(["pid", "environment", "go_deaf"].map((name) => toolOf(tools, name).idempotent)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("an endless list of tools is cut", async () => {
    const { tools } = await startListed(node(FAULTY, "huge"));
    expect(tools.list()).toHaveLength(200);
    expect(tools.list()[0]?.description).toHaveLength(2_000);
  });

  test("a list of tools that changes is read again", async () => {
    const { tools, log } = await startListed(node(FAULTY));
    await call(tools, "grow");
    await waitFor("the new tool", () => tools.list().some(({ name }) => name === "s__grown"));
    expect(log.filter(({ text }) => text.startsWith("MCP server listed its tools"))).toHaveLength(2);
  });

  test("a server gets its own env and no other variables of this process", async () => {
    process.env.MCP_TEST_SECRET = "secret";
    onTestFinished(() => void delete process.env.MCP_TEST_SECRET);
    const { tools } = await startListed({ ...node(FAULTY), env: { OWN: "own" } });
    const environment = JSON.parse(String(await call(tools, "environment")));
    expect(environment).toMatchObject({ OWN: "own", PATH: process.env.PATH });
    expect(environment).not.toHaveProperty("MCP_TEST_SECRET");
  });

  test("a call without an answer fails alone", async () => {
    const { tools } = await startListed(node(FAULTY));
    const before = await call(tools, "pid");
    await expect(call(tools, "hang", {}, AbortSignal.timeout(200))).rejects.toMatchObject(TIMEOUT);
    expect(await call(tools, "pid")).toBe(before);
  });

  test("a server that stops answering is replaced", async () => {
    const { tools, log } = await startListed(node(FAULTY));
    const before = await call(tools, "pid");
    const deaf = tools.list().find(({ name }) => /^s__go_deaf_/.test(name));
    await expect(call(tools, deaf?.name.slice(3) ?? "", {}, AbortSignal.timeout(200))).rejects.toMatchObject(TIMEOUT);
    await waitFor("its loss", () => log.some(({ text }) => text.startsWith("MCP server is away")));
    expect(await call(tools, "pid")).not.toBe(before);
    expect(await stillRunning([Number(before)])).toEqual([]);
  });

  test.each(["die", "flood"])(
    "a server that does not survive a call (%s) is lost, and its last output is logged",
    async (tool) => {
      const { tools, log } = await startListed(node(FAULTY));
      await expect(call(tools, tool)).rejects.toMatchObject(LOST);
      expect(await call(tools, "pid")).toMatch(/^\d+$/);
      const lost = log.find(({ text }) => text.startsWith("MCP server is away"));
      expect(JSON.stringify(lost)).toContain(tool === "die" ? "exit code 7" : "maximum size");
    },
  );

  test("a server that never answers is tried again and again, and other servers' tools work", async () => {
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

  test("an unreachable server keeps its tools, whose calls fail until the server is back", async () => {
    const present = join(tmpdir(), `mcp-${randomUUID()}`);
    await writeFile(present, "");
    onTestFinished(() => rm(present, { force: true }));
    const script = `test -e ${present} && exec ${process.execPath} ${FAULTY}`;
    const { tools } = await startListed({ command: "sh", args: ["-c", script] }, { awayMs: 500 });
    await rm(present);
    await expect(call(tools, "die")).rejects.toMatchObject(LOST);
    await expect(call(tools, "pid")).rejects.toMatchObject(toolError(/"s"/));
    await expect(call(tools, "pid", {}, AbortSignal.timeout(100))).rejects.toMatchObject(TIMEOUT);
    await writeFile(present, "");
    await waitFor("an answer", () => call(tools, "pid").catch(() => undefined));
  });

  test("thousands of calls leave no listener on a shared signal", async () => {
    const { tools } = await startListed(node(FAULTY));
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 100 }, () => call(tools, "pid", {}, signal)));
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test.each(["plain", "stubborn", "runner", "mute"])(
    "close leaves no process of the server behind (%s)",
    async (mode) => {
      const mark = `mark-${randomUUID()}`;
      const { tools } = start({ s: node(FAULTY, mode, mark) });
      const leader = await waitFor("its process", async () => findProcess(await processTree(process.pid), mark));
      if (mode !== "mute") await waitFor("the list of tools", () => tools.list().length > 0);
      const tree = await processTree(leader);
      expect(tree).toHaveLength(mode === "runner" ? 2 : 1);
      const running = mode === "mute" ? [] : [await begin(tools, "hang")];
      const failed = Promise.all(running.map(({ result }) => expect(result).rejects.toMatchObject(LOST)));
      await tools.close();
      await failed;
      // A process that was killed needs a moment to end.
      await waitFor("the end of its processes", async () => (await stillRunning(tree)).length === 0, SECOND);
    },
  );
});
