/**
 * Process entry of the local model server, and the only file of it that reads the environment: HOST (default
 * 127.0.0.1), MODEL_PORT or else PORT (default 0, any free port), MODEL_CONTROL (`off`: no control routes). Reports
 * that it is ready with one line of JSON and one message to the parent; stops on SIGINT, SIGTERM, or when the parent
 * ends.
 */
import { startModelServer } from "./server.ts";

const port = process.env.MODEL_PORT || process.env.PORT || "0";
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`MODEL_PORT (or PORT) must be a port number, 0 to 65535: '${port}'`);
  process.exit(1);
}

const server = await startModelServer({
  host: process.env.HOST || "127.0.0.1",
  port: Number(port),
  control: process.env.MODEL_CONTROL !== "off",
});

async function stop(): Promise<void> {
  await server.stop();
  process.exit(0);
}

for (const event of ["SIGINT", "SIGTERM", "disconnect"] as const) process.once(event, () => void stop());

console.log(JSON.stringify({ ready: true, url: server.url }));
process.send?.("ready");
