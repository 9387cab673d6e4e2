/** Windows over real connections of this machine: what the kernel says of them is the subject. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connectionIdOf, readSending } from "@agent-paas/shared/net/kernel-connections.ts";
import { expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../../../test/support/wait-for.ts";
import { createSendWindows, type SendWindowListener } from "./send-windows.ts";

const WINDOW_BYTES = 64 * 1_024;
const BATCH = Buffer.alloc(1_024, "x");

/** Both ends of a connection; the client does not read. */
async function connectPaused(host: string): Promise<{ server: Socket; client: Socket }> {
  const listener = createServer().listen(0, host);
  await once(listener, "listening");
  const client = connect({ host, port: (listener.address() as AddressInfo).port }).pause();
  const [server] = (await once(listener, "connection")) as [Socket];
  onTestFinished(() => {
    for (const socket of [client, server]) socket.destroy();
    listener.close();
  });
  return { server, client };
}

function createWindows() {
  const windows = createSendWindows(WINDOW_BYTES, { warn: () => {} });
  onTestFinished(() => windows.stop());
  return windows;
}

function openWindow(socket: Socket, listener: Partial<SendWindowListener> = {}, windows = createWindows()) {
  return windows.open(socket, { onRoom: () => {}, onProgress: () => {}, ...listener });
}

async function queuedFor(socket: Socket): Promise<number> {
  const id = connectionIdOf(socket);
  if (id === null) throw new Error("no connection");
  return (await readSending([id])).get(id.key)?.queued ?? 0;
}

/** Writes whenever there is room, until the kernel itself holds more than half a window. */
async function fill(server: Socket, window: ReturnType<typeof openWindow>): Promise<void> {
  await waitFor(
    "the window to fill",
    async () => {
      while (!window.isFull()) {
        server.write(BATCH);
        window.wrote(BATCH.length);
      }
      return (await queuedFor(server)) > WINDOW_BYTES / 2;
    },
    30_000,
  );
}

test.each(["127.0.0.1", "::1"])(
  "the window of a client at %s that does not read fills, and the kernel holds no more",
  async (host) => {
    const { server } = await connectPaused(host);
    await fill(server, openWindow(server));
    expect(await queuedFor(server)).toBeLessThanOrEqual(WINDOW_BYTES + BATCH.length);
  },
);

test("a full window takes bytes again when the client reads", async () => {
  const { server, client } = await connectPaused("127.0.0.1");
  let rooms = 0;
  const window = openWindow(server, { onRoom: () => void rooms++ });
  await fill(server, window);
  rooms = 0;
  client.resume();
  await waitFor("room", () => rooms === 1);
  expect(window.isFull()).toBe(false);
  await waitFor("the kernel to be empty", async () => (await queuedFor(server)) === 0);
});

/** Writes whenever there is room, and waits until the client has read it all. */
async function send(bytes: number, server: Socket, client: Socket, windows = createWindows()): Promise<void> {
  client.resume();
  let room = Promise.withResolvers<void>();
  const window = openWindow(server, { onRoom: () => room.resolve() }, windows);
  let written = 0;
  while (written < bytes) {
    if (window.isFull()) {
      await room.promise;
      room = Promise.withResolvers();
    }
    server.write(BATCH);
    window.wrote(BATCH.length);
    written += BATCH.length;
  }
  await waitFor("all bytes", () => client.bytesRead === written);
}

test("a client that reads gets room within a moment, however much it reads", async () => {
  const { server, client } = await connectPaused("127.0.0.1");
  await send(16 * WINDOW_BYTES, server, client);
});

test("a client that reads waits for none that does not", { timeout: 20_000 }, async () => {
  const windows = createWindows();
  const stalled = await connectPaused("127.0.0.1");
  await fill(stalled.server, openWindow(stalled.server, {}, windows));
  const { server, client } = await connectPaused("127.0.0.1");
  await send(64 * WINDOW_BYTES, server, client, windows);
});

test("a closed window is asked for no more", async () => {
  const { server, client } = await connectPaused("127.0.0.1");
  let rooms = 0;
  const window = openWindow(server, { onRoom: () => void rooms++ });
  await fill(server, window);
  window.close();
  rooms = 0;
  client.resume();
  await waitFor("the kernel to be empty", async () => (await queuedFor(server)) === 0);
  expect(rooms).toBe(0);
});
