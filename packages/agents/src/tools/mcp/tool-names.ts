/**
 * Names for the tools of a server that every model provider accepts: `server__tool`. The name of a server has no
 * underscore, so tools of two servers never share a name. If two tools of one server would, a hash of each tool's own
 * name is added; it does not depend on the order in which the server lists them.
 */
import { createHash } from "node:crypto";

const MAX_CHARS = 64;
const HASH_CHARS = 6;

export const toolPrefix = (server: string): string => `${server}__`;

/** Pairs each tool with the name that the model sees. The tools' own names must be distinct. */
export function nameTools<Named extends { readonly name: string }>(
  server: string,
  tools: readonly Named[],
): [name: string, tool: Named][] {
  const candidates = tools.map((tool) => {
    const wanted = toolPrefix(server) + tool.name;
    const name = wanted.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, MAX_CHARS);
    return { name, isExact: name === wanted, tool };
  });
  const sharing = Map.groupBy(candidates, ({ name }) => name);
  return candidates.map(({ name, isExact, tool }) => {
    const isOwn = isExact || sharing.get(name)?.length === 1;
    return [isOwn ? name : withHash(name, tool.name), tool];
  });
}

function withHash(name: string, tool: string): string {
  const hash = createHash("sha256").update(tool).digest("hex").slice(0, HASH_CHARS);
  return `${name.slice(0, MAX_CHARS - HASH_CHARS - 1)}_${hash}`;
}
