/** Requests that no route ever sees get an error in the platform's format all the same. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { formatError } from "../../apps/api/src/doors/platform/error-format.ts";
import { createOpenResponses } from "../../apps/api/src/events/open-responses.ts";
import { createHttpServer } from "../../apps/api/src/http/server.ts";
import { settledWithin } from "../support/wait-for.ts";

/** The limit for headers is 10 s, and it is checked every second. */
const ANSWERED_WITHIN_MS = 15 * SECOND;

type OnRequest = Parameters<typeof createHttpServer>[0];

async function openSocket(onRequest: OnRequest = (_req, res) => void res.end("served")): Promise<Socket> {
  const server = createHttpServer(onRequest, formatError);
  const { hostname, port } = new URL(await server.listen("127.0.0.1", 0));
  onTestFinished(() => server.stop(createOpenResponses(), 0));
  return connect(Number(port), hostname);
}

/** Everything that the server says until it closes the connection. */
async function readAll(socket: Socket): Promise<string> {
  let said = "";
  socket.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  socket.on("error", () => {});
  await settledWithin("the close of the socket", ANSWERED_WITHIN_MS, once(socket, "close"));
  return said;
}

test.each([
  ["what is no HTTP", "rubbish\r\n\r\n", 400, "invalid_http"],
  [
    "headers of 32 KiB",
    `GET / HTTP/1.1\r\nHost: here\r\nX-Long: ${"x".repeat(32 * 1024)}\r\n\r\n`,
    431,
    "headers_too_large",
  ],
  ["half a request", "POST / HTTP/1.1\r\nHost: here\r\nX-Half", 408, "request_timeout"],
])(
  "a connection with %s gets an error in the platform's format",
  async (_, request, status, code) => {
    const socket = await openSocket();
    socket.write(request);
    const [head = "", body = ""] = (await readAll(socket)).split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body)).toEqual({ error: expect.objectContaining({ code, request_id: expect.any(String) }) });
  },
  30_000,
);

test("rubbish behind a request whose answer has begun does not get into that answer", async () => {
  const socket = await openSocket((_req, res) => void res.write("begun"));
  socket.write("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
  const said = readAll(socket);
  await once(socket, "data");
  socket.write("rubbish\r\n\r\n");
  expect(await said).not.toContain("error");
});

test("a connection without a byte is closed without an answer, which its next request would take for its own", async () => {
  const socket = await openSocket();
  expect(await readAll(socket)).toBe("");
}, 30_000);

test("a request that came while the process did not run is served, however late the process is", async () => {
  const socket = await openSocket();
  await once(socket, "connect");
  const said = readAll(socket);
  socket.write("GET / HTTP/1.1\r\nHost: here\r\n");
  await new Promise(setImmediate);
  socket.write("Connection: close\r\n\r\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 12 * SECOND);
  expect((await said).split("\r\n")).toEqual(expect.arrayContaining(["HTTP/1.1 200 OK", "served"]));
}, 30_000);
