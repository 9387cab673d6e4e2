import { once } from "node:events";
import { createServer, get } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { JobEvent } from "@agent-paas/shared/contract/events.ts";
import express, { type Response } from "express";
import { expect, onTestFinished, test } from "vitest";
import {
  batchOf,
  createMemoryEventLog,
  createMemorySubscriber,
  doneEvent,
  textEvent,
} from "../../../../test/support/memory-events.ts";
import { createOpenResponses } from "../events/open-responses.ts";
import { createSendWindows } from "../events/send-windows.ts";
import { type StreamServices, streamJobEvents } from "./sse-stream.ts";
import type { StreamFormat } from "./stream-format.ts";

const FORMAT: StreamFormat = {
  headers: () => ({ "Content-Type": "text/event-stream" }),
  preamble: Buffer.from(": begins\n\n"),
  heartbeat: Buffer.from(": heartbeat\n\n"),
  reconnectAfter: (ms) => `retry: ${ms}\n\n`,
};

const KNOWN = { findEnded: async () => null, isKnown: async () => true };
const OPTIONS = { jobId: "j", sessionId: null, after: 0, ...KNOWN, stage: "open" } as const;

const WINDOW_BYTES = 64 * 1_024;

/** Services in memory; `held` counts what a stream holds of them. */
function createServices(stalledClientMs: number) {
  const log = createMemoryEventLog();
  const subscriber = createMemorySubscriber();
  const ticks = new Set<() => void>();
  const openResponses = createOpenResponses();
  const open = new Set<() => void>();
  const sendWindows = createSendWindows(WINDOW_BYTES, { warn: () => {} });
  const services: StreamServices = {
    config: { SSE_STALLED_CLIENT_MS: stalledClientMs },
    events: {
      log,
      subscriber,
      sendWindows,
      wheel: {
        subscribe: (tick) => {
          ticks.add(tick);
          return () => void ticks.delete(tick);
        },
        stop: () => {},
      },
      openResponses: {
        add: (end) => {
          open.add(end);
          const remove = openResponses.add(end);
          return () => {
            open.delete(end);
            remove();
          };
        },
        endAll: openResponses.endAll,
      },
    },
  };
  const held = () => ({ listeners: subscriber.listenersOf("j"), ticks: ticks.size, open: open.size });
  return { services, log, subscriber, held };
}

const HELD_BY_NONE = { listeners: 0, ticks: 0, open: 0 };

test("a client that left before its stream begins leaves nothing behind", async () => {
  const { services, held } = createServices(1_000);
  const started = new Promise<void>((resolve) => {
    const app = express().get("/", async (_req, res) => {
      await once(res, "close");
      streamJobEvents(res, services, FORMAT, OPTIONS);
      resolve();
    });
    const server = createServer(app).listen(0, "127.0.0.1", () => {
      const request = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
      request.on("error", () => {});
      server.once("request", () => request.destroy());
    });
    onTestFinished(() => void server.close());
  });
  await started;
  expect(held()).toEqual(HELD_BY_NONE);
});

test("a client that stops reading before the end is dropped, and no heartbeat is written behind the end", async () => {
  const { services, log, subscriber, held } = createServices(100);
  const streamed = Promise.withResolvers<Response>();
  const app = express().get("/", (_req, res) => {
    streamJobEvents(res, services, FORMAT, OPTIONS);
    streamed.resolve(res);
  });
  const server = createServer(app).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  client.on("error", () => {});
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const res = await streamed.promise;
  // Live batches pass through once the log was read.
  await new Promise((resolve) => setImmediate(resolve));

  const filler = "x".repeat(32 * 1_024 * 1_024);
  const batch = batchOf(log.lastSeq("j") + 1, [textEvent(filler), doneEvent("j")]);
  log.append("j", batch);
  subscriber.deliver("j", batch);
  expect(res.socket?.writableNeedDrain).toBe(true);
  expect(held()).toEqual(HELD_BY_NONE);
  await once(res, "close");
  expect(res.destroyed).toBe(true);
});

test("a format that translates gets every event once, and its frames alone go to the client", async () => {
  const { services, log, subscriber, held } = createServices(1_000);
  const seen: number[] = [];
  const format: StreamFormat = {
    ...FORMAT,
    translate:
      ({ jobId }) =>
      ({ seq, event, data }) => {
        seen.push(seq);
        if (event === "thought") return "";
        return event === "message" ? `data: ${jobId} ${data.content}\n\n` : "data: end\n\n";
      },
  };
  const thought: JobEvent = { event: "thought", data: { content: "", type: "status" } };
  log.append("j", batchOf(1, [thought, textEvent("a"), textEvent("b")]));
  const response = await openStream(services, format);
  const batch = batchOf(4, [textEvent("c"), doneEvent("j")]);
  log.append("j", batch);
  subscriber.deliver("j", batch);
  const text = await response.text();
  expect(text).toBe(": begins\n\ndata: j a\n\ndata: j b\n\ndata: j c\n\ndata: end\n\n");
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(held()).toEqual(HELD_BY_NONE);
});

test("a response that a format ends before its job gets nothing more, and holds nothing", async () => {
  const { services, log, subscriber, held } = createServices(1_000);
  const format: StreamFormat = {
    ...FORMAT,
    translate: () => (event) => {
      const text = event.event === "message" ? event.data.content : "";
      return text === "last" ? { last: "data: last\n\n" } : `data: ${text}\n\n`;
    },
  };
  log.append("j", batchOf(1, [textEvent("a")]));
  const response = await openStream(services, format);
  const batch = batchOf(2, [textEvent("b"), textEvent("last"), textEvent("c"), doneEvent("j")]);
  log.append("j", batch);
  subscriber.deliver("j", batch);
  expect(await response.text()).toBe(": begins\n\ndata: a\n\ndata: b\n\ndata: last\n\n");
  expect(held()).toEqual(HELD_BY_NONE);
});

/** The response of a stream that has begun. */
async function openStream(services: StreamServices, format: StreamFormat): ReturnType<typeof fetch> {
  const app = express().get("/", (_req, res) => streamJobEvents(res, services, format, OPTIONS));
  const server = createServer(app).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
