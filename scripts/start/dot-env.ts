/** The file `.env`, as the scripts read it. */
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

const BYTE_ORDER_MARK = "\ufeff";

/** Existing variables win over the file. A byte-order mark, with which some editors begin it, is no part of a name. */
export function loadDotEnv(file: string, env: NodeJS.ProcessEnv): void {
  if (!existsSync(file)) return;
  const text = readFileSync(file, "utf8");
  const own = parseEnv(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  for (const [name, value] of Object.entries(own)) env[name] ??= value;
}
