// A real Chroma for tests: the embedded server that `npm start` uses, with a folder that `stop` deletes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChroma } from "../../scripts/services/chroma-server.ts";
import type { Server } from "../../scripts/services/server.ts";

export async function startTestChroma(): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-chroma-"));
  const server = await startChroma({ dir });
  const { stop } = server;
  return Object.assign(server, {
    async stop() {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  });
}
