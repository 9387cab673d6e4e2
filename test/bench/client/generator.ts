/** Process entry of the load generator: takes one load at a time over IPC and ends with its parent. */
import { runChats } from "./chats.ts";
import type { Findings, GeneratorMessage, Load } from "./load.ts";
import { runPosts } from "./posts.ts";

const tell = (message: GeneratorMessage) => void process.send?.(message);

function run(load: Load): Promise<Findings> {
  if (load.kind === "posts") return runPosts(load);
  return runChats(load, {
    steady: (tokens) => tell({ kind: "steady", tokens }),
    ending: (tokens) => tell({ kind: "ending", tokens }),
  });
}

process.on("message", async (load: Load) => tell({ kind: "findings", findings: await run(load) }));
for (const event of ["SIGINT", "SIGTERM", "disconnect"] as const) process.once(event, () => process.exit());

process.send?.("ready");
