/**
 * Process entry of the local model server, and the only place here that reads the environment: HOST (default 127.0.0.1),
 * MODEL_PORT or else PORT (default 0, any free one). Says it is ready with one JSON line and, to a parent, one message;
 * stops on SIGINT, SIGTERM, or when the parent goes away.
 */
import { startModelServer } from "./server.ts";

const port = process.env.MODEL_PORT || process.env.PORT || "0";
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`MODEL_PORT (or PORT) must be a port number, 0 to 65535: '${port}'`);
  process.exit(1);
}

const server = await startModelServer({ host: process.env.HOST || "127.0.0.1", port: Number(port) });

async function stop(): Promise<void> {
  await server.stop();
  process.exit(0);
}

for (const event of ["SIGINT", "SIGTERM", "disconnect"] as const) process.once(event, () => void stop());

console.log(JSON.stringify({ ready: true, url: server.url }));
process.send?.("ready");
