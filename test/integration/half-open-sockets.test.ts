/** A socket that never completes a request is closed soon after the limit for its headers, and frees its place. */
import { once } from "node:events";
import { connect } from "node:net";
import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { formatError } from "../../apps/api/src/doors/platform/error-format.ts";
import { createOpenResponses } from "../../apps/api/src/events/open-responses.ts";
import { createHttpServer } from "../../apps/api/src/http/server.ts";
import { settledWithin } from "../support/wait-for.ts";

/** The limit for headers is 10 s, and it is checked every second. */
const CLOSED_WITHIN_MS = 15 * SECOND;

test("sockets with nothing and with half a request are closed within 15 s", async () => {
  const server = createHttpServer((_req, res) => void res.end(), formatError);
  const { hostname, port } = new URL(await server.listen("127.0.0.1", 0));
  onTestFinished(() => server.stop(createOpenResponses(), 0));
  const sockets = ["", "GET /health HTTP/1.1\r\nHost: here\r\nX-Half"].map((text) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {}).resume();
    socket.write(text);
    return socket;
  });
  const closed = Promise.all(sockets.map((socket) => once(socket, "close")));
  await settledWithin("the close of the sockets", CLOSED_WITHIN_MS, closed);
  expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
}, 30_000);
