/** Process entry of the load generator: receives one load at a time over IPC and ends with its parent. */
import { runChats } from "./chats.ts";
import type { Findings, GeneratorMessage, Load } from "./load.ts";
import { runPosts } from "./posts.ts";

const send = (message: GeneratorMessage) => void process.send?.(message);

function run(load: Load): Promise<Findings> {
  if (load.kind === "posts") return runPosts(load);
  return runChats(load, {
    steady: (tokens) => send({ kind: "steady", tokens }),
    ending: (tokens) => send({ kind: "ending", tokens }),
  });
}

process.on("message", async (load: Load) => send({ kind: "findings", findings: await run(load) }));
for (const event of ["SIGINT", "SIGTERM", "disconnect"] as const) process.once(event, () => process.exit());

process.send?.("ready");
