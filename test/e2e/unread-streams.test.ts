/**
 * Clients that never read while jobs stream at a steady pace. Proves I9 for the kernel's memory: what it holds for each
 * is bounded long before its send buffers are full, and each client is dropped after the stated time and can resume.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connectionIdOf, readSending } from "@agent-paas/shared/net/kernel-connections.ts";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type ApiProcess, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

const CLIENTS = 30;
const UNREAD_BYTES = 32 * 1_024;
const STALLED_CLIENT_MS = 3_000;
/** Of a batch that is written when the window has room for less. */
const LARGEST_BATCH = 16 * 1_024;
/** Far more than client and window hold together. */
const LONG_ANSWER = "[[tokens=20000 rate=2000]] on and on";

let platform: TestPlatform;
let api: ApiProcess;
beforeAll(async () => {
  platform = await startTestPlatform();
  api = await platform.startApi({
    SSE_UNREAD_BYTES: String(UNREAD_BYTES),
    SSE_STALLED_CLIENT_MS: String(STALLED_CLIENT_MS),
  });
});
afterAll(() => platform.stop());

/** Follows the job on a connection of its own, and never reads. */
async function followUnread(jobId: string): Promise<Socket> {
  const { hostname, port } = new URL(api.origin);
  const socket = connect({ host: hostname, port: Number(port) }).pause();
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  const headers = ["Host: test", `Authorization: Bearer ${KEYS.alice}`];
  socket.write(`GET /api/v1/jobs/${jobId}/events HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
  return socket;
}

/** The API's side of the clients' connections. */
function apiSides(clients: readonly Socket[]) {
  return clients.flatMap(({ localPort, localAddress, remotePort }) => {
    const side = { localPort: remotePort, remoteAddress: localAddress, remotePort: localPort };
    const id = connectionIdOf(side);
    return id === null ? [] : [id];
  });
}

test("the kernel holds a bounded number of bytes for clients that never read, and they are dropped and can resume", async () => {
  const jobId = await platform.alice.execute(LONG_ANSWER);
  await platform.alice.started(jobId);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => followUnread(jobId)));
  const sides = apiSides(clients);
  expect(sides).toHaveLength(CLIENTS);

  let most = 0;
  let mostFilled = 0;
  await waitFor(
    "the API to drop the clients",
    async () => {
      const queues = [...(await readSending(sides)).values()].map(({ queued }) => queued);
      most = Math.max(most, ...queues);
      mostFilled = Math.max(mostFilled, queues.filter((queued) => queued > 0).length);
      return queues.length === 0;
    },
    60_000,
  );
  expect(mostFilled).toBe(CLIENTS);
  expect(most).toBeLessThanOrEqual(UNREAD_BYTES + LARGEST_BATCH);

  const events = await (await api.alice.follow(jobId)).all();
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => at + 1));
}, 120_000);
