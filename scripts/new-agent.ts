/**
 * `npm run new-agent NAME`: writes an agent and its test from packages/agents/template, which is an agent with a test
 * itself, so it cannot age. Nothing is overwritten.
 */
import { loadDotEnv } from "./start/dot-env.ts";
import "./require-node.mjs";
import { join } from "node:path";
import { newAgent } from "./new-agent/write-agent.ts";
import { UsageError } from "./start/options.ts";
import { ROOT } from "./start/processes.ts";

loadDotEnv(join(ROOT, ".env"), process.env);
try {
  const [id, ...others] = process.argv.slice(2);
  if (id === undefined || others.length > 0) throw new UsageError("npm run new-agent NAME, such as order_desk");
  console.log(await newAgent({ id, folder: process.env.AGENTS_DIR || "agents", root: ROOT }));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
