/**
 * `node scripts/model-server/bench.ts [seconds]` measures the cost of the server (Linux; CPU time is read from /proc).
 * The server runs as its own process; this process only reads bytes from plain sockets, so that it is not the
 * bottleneck.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { modelControl } from "./client.ts";

/** /proc counts CPU time in ticks of 10 ms on every Linux that Node supports. */
const MS_PER_CPU_TICK = 10;
const WARM_UP_MS = 3_000;

const measureMs = Number(process.argv[2] ?? 15) * 1_000;
const elapsed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_CPU_TICK;
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

function openStream(port: number, directives: string): Socket {
  const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: directives }] });
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return socket.resume();
}

async function measure(streams: number, directives: string): Promise<void> {
  const server = fork(new URL("main.ts", import.meta.url), { silent: true, execArgv: [], env: {} });
  const [line] = await once(server.stdout ?? server, "data");
  const { origin, port } = new URL(JSON.parse(String(line)).url);
  const pid = server.pid ?? 0;
  const control = modelControl(origin);

  const sockets: Socket[] = [];
  while (sockets.length < streams) {
    // Starts are spread over a second, so that the tokens of all streams are not due at the same tick.
    if (sockets.length % 10 === 9) await elapsed(10_000 / streams);
    sockets.push(openStream(Number(port), directives));
  }
  await elapsed(WARM_UP_MS);
  const [tokensBefore, cpuBefore, startedAt] = [(await control.stats()).tokens_sent, cpuMs(pid), performance.now()];
  await elapsed(measureMs);
  const { tokens_sent, open_streams } = await control.stats();
  const [cpu, wall] = [cpuMs(pid) - cpuBefore, performance.now() - startedAt];
  const tokens = tokens_sent - tokensBefore;

  console.log(
    `${directives}: ${open_streams} streams, ${Math.round((tokens / wall) * 1_000)} tokens/s, ` +
      `${((cpu * 1_000) / tokens).toFixed(2)} µs CPU per token, ${Math.round((cpu / wall) * 100)} % of a core, ` +
      `${Math.round(residentMb(pid))} MB`,
  );
  for (const socket of sockets) socket.destroy();
  server.disconnect();
  await once(server, "exit");
}

await measure(1_000, "[[tokens=1000000 rate=20]]");
await measure(32, "[[tokens=10000000]]");
