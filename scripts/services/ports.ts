/**
 * Loopback ports for the embedded services, and the check whether the API's port is free.
 *
 * Invariant: a chosen port lies below the kernel's range for outgoing connections (32768 and up on Linux), so that no
 * outgoing connection can take it while a service that must return to the same port is down.
 */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

export const LOOPBACK = "127.0.0.1";
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const TRIES = 100;

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if ((await listenProblem(LOOPBACK, port)) === undefined) return port;
  }
  throw new Error(`No free port found between ${FIRST_PORT} and ${LAST_PORT} on ${LOOPBACK}`);
}

/** The system's error code (EADDRINUSE, EACCES, EADDRNOTAVAIL, …) if listening fails now; undefined if it succeeds. */
export function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
