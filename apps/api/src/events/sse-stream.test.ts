import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import type { Response } from "express";
import { expect, onTestFinished, test } from "vitest";
import { type SseDeps, streamJobEvents } from "./sse-stream.ts";

test("a client that left before its stream begins leaves nothing behind", async () => {
  const joined: string[] = [];
  const openStreams = new Set<Response>();
  const deps: SseDeps = {
    fanout: { follow: () => joined.push("follower") } as unknown as SseDeps["fanout"],
    wheel: { join: () => () => void joined.push("wheel"), stop: () => {} },
    stalledClientMs: 1_000,
    openStreams,
  };
  const started = new Promise<void>((resolve) => {
    const server = createServer(async (_req, res) => {
      await once(res, "close");
      streamJobEvents(res as Response, deps, {
        jobId: "j",
        sessionId: null,
        after: 0,
        findEnded: async () => null,
        hasEnded: false,
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
  expect([joined, openStreams.size]).toEqual([[], 0]);
});
