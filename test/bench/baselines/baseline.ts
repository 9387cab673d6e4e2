/** What the baselines share. Their event frames have the same shape as the product's. */

export function frame(id: number, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const SSE_HEADERS = { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache" };

export function requiredEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Reports that the process is ready, and ends it on a signal or when its parent is gone. */
export function serveUntilStopped(stop: () => unknown): void {
  const end = async () => {
    await stop();
    process.exit();
  };
  for (const event of ["SIGINT", "SIGTERM", "disconnect"] as const) process.once(event, () => void end());
  process.send?.("ready");
}
