/** The life cycle of the server: start, keys, stop, and its process. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { startModelServer } from "./server.ts";
import { startTestModel } from "./test-model.ts";

describe("startModelServer", () => {
  test("the server accepts every key, or only the configured one", async () => {
    const open = await startModelServer();
    const closed = await startModelServer({ apiKey: "sk-right" });
    const status = async (url: string, key: string) =>
      (await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await status(open.url, "sk-any")).toBe(200);
    expect(await status(closed.url, "sk-right")).toBe(200);
    expect(await status(closed.url, "sk-wrong")).toBe(401);
    await Promise.all([open.stop(), closed.stop()]);
  });

  test("stop() ends running answers at once and may be called twice", async () => {
    const { server, post } = await startTestModel();
    const streams = await Promise.all(
      ["[[tokens=100000 rate=10]]", "[[fault=silence]]", "[[tokens=10000000]]"].map((text) =>
        post(text, { stream: true }),
      ),
    );
    await Promise.all([server.stop(), server.stop()]);
    for (const stream of streams) await expect(stream.text()).rejects.toThrow(/terminated/);
    await expect(fetch(server.origin)).rejects.toThrow();
  });

  test("the start on a port in use fails with EADDRINUSE", async () => {
    const first = await startModelServer();
    await expect(startModelServer({ port: first.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await first.stop();
  });
});

describe("main.ts", () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  async function start(env: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
    const started = fork(new URL("main.ts", import.meta.url), {
      env,
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child = started;
    const [[line], [message]] = await Promise.all([once(started.stdout ?? started, "data"), once(started, "message")]);
    const { ready, url } = JSON.parse(String(line));
    expect([ready, message]).toEqual([true, "ready"]);
    return { child: started, url };
  }

  test.each(["SIGINT", "SIGTERM"] as const)(
    "the process reports that it is ready and exits with 0 on %s",
    async (signal) => {
      const { child: started, url } = await start({});
      expect((await fetch(`${url}/models`)).status).toBe(200);
      started.kill(signal);
      expect(await once(started, "exit")).toEqual([0, null]);
    },
  );

  test("the process ends when its parent ends", async () => {
    const { child: started } = await start({ PORT: "0", HOST: "127.0.0.1" });
    started.disconnect();
    expect(await once(started, "exit")).toEqual([0, null]);
  });

  test("the process refuses a MODEL_PORT that is not a port number", async () => {
    child = fork(new URL("main.ts", import.meta.url), { env: { MODEL_PORT: "many" }, execArgv: [], silent: true });
    expect(await once(child, "exit")).toEqual([1, null]);
  });
});
