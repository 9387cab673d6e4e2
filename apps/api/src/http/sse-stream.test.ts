import { once } from "node:events";
import { createServer, get } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Response } from "express";
import { expect, onTestFinished, test } from "vitest";
import type { EventSink, FollowOptions } from "../events/job-event-follower.ts";
import { createOpenResponses } from "../events/open-responses.ts";
import { type SseDeps, streamJobEvents } from "./sse-stream.ts";

test("a client that left before its stream begins leaves nothing behind", async () => {
  const joined: string[] = [];
  const openResponses = { add: () => () => void joined.push("open"), endAll: () => {} };
  const deps: SseDeps = {
    fanout: { follow: () => joined.push("follower") } as unknown as SseDeps["fanout"],
    wheel: { subscribe: () => () => void joined.push("wheel"), stop: () => {} },
    stalledClientMs: 1_000,
    openResponses,
  };
  const started = new Promise<void>((resolve) => {
    const server = createServer(async (_req, res) => {
      await once(res, "close");
      streamJobEvents(res as Response, deps, {
        jobId: "j",
        sessionId: null,
        after: 0,
        findEnded: async () => null,
        stage: "open",
      });
      resolve();
    }).listen(0, "127.0.0.1", () => {
      const request = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
      request.on("error", () => {});
      server.once("request", () => request.destroy());
    });
    onTestFinished(() => void server.close());
  });
  await started;
  expect(joined).toEqual([]);
});

test("a client that stops reading before the end is dropped, and no heartbeat is written behind the end", async () => {
  const ticks = new Set<() => void>();
  let sink: EventSink | undefined;
  const deps: SseDeps = {
    fanout: {
      follow: (options: FollowOptions) => {
        sink = options.sink;
        return { close: () => {}, resume: () => {} };
      },
    } as unknown as SseDeps["fanout"],
    wheel: {
      subscribe: (tick) => {
        ticks.add(tick);
        return () => void ticks.delete(tick);
      },
      stop: () => {},
    },
    stalledClientMs: 100,
    openResponses: createOpenResponses(),
  };
  const options = { jobId: "j", sessionId: null, after: 0, findEnded: async () => null, stage: "open" } as const;
  const server = createServer((_req, res) => streamJobEvents(res as Response, deps, options)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  client.on("error", () => {});
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const [, res] = (await once(server, "request")) as [unknown, Response];

  const frame = Buffer.from(`id: 1\nevent: message\ndata: {"content":"${"x".repeat(60_000)}","type":"text"}\n\n`);
  while (sink?.write(frame)) {
    // Until the socket is full.
  }
  sink?.end();
  expect(ticks.size).toBe(0);
  await once(res, "close");
  expect(res.destroyed).toBe(true);
});
