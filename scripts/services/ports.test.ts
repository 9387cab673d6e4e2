import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, LOOPBACK, listenProblem } from "./ports.ts";

test("a free port can be listened on and lies below the range of outgoing connections", async () => {
  const port = await freePort();
  const [lowest = ""] = (await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8")).split(/\s/);
  expect(port).toBeLessThan(Number(lowest));
  await using server = createServer().listen(port, LOOPBACK);
  await once(server, "listening");
});

test("a port in use is reported with the system's error code", async () => {
  const port = await freePort();
  await using server = createServer().listen(port, LOOPBACK);
  await once(server, "listening");
  expect(await listenProblem(LOOPBACK, port)).toBe("EADDRINUSE");
});
