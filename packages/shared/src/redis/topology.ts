/** Which Redis the platform talks to, parsed from `REDIS_URL` once. The rest of the code sees connections only. */
import { z } from "zod";

/** One server. Sentinel and Cluster will be further kinds of this union. */
export type RedisTopology = { readonly kind: "single"; readonly url: string };

/** `redis://[user:password@]host:port[/db]`, or `rediss://` for TLS. */
export const RedisTopologySchema = z
  .url({ protocol: /^rediss?$/, error: "expected a redis:// or rediss:// URL" })
  .transform((url): RedisTopology => ({ kind: "single", url }));

/** The passwords of the topology, as the URL spells them and as Redis knows them: no log may show either. */
export function secretsOfTopology({ url }: RedisTopology): string[] {
  const { password } = new URL(url);
  return [password, decodeURIComponent(password)];
}
