import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, LOOPBACK, listenProblem } from "./ports.ts";

test("a free port can be listened on and is none that outgoing connections get", async () => {
  const port = await freePort();
  const [lowest = ""] = (await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8")).split(/\s/);
  expect(port).toBeLessThan(Number(lowest));
  await using server = createServer().listen(port, LOOPBACK);
  await once(server, "listening");
});

test("a port that is taken is told by the system's code", async () => {
  const port = await freePort();
  await using server = createServer().listen(port, LOOPBACK);
  await once(server, "listening");
  expect(await listenProblem(LOOPBACK, port)).toBe("EADDRINUSE");
});
