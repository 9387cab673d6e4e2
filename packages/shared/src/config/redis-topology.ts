/** Which Redis the platform uses, parsed once from `REDIS_URL`. The rest of the code only sees connections. */
import { z } from "zod";

/** A single server. Sentinel and Cluster will be further kinds of this union. */
export type RedisTopology = { readonly kind: "single"; readonly url: string };

/** `redis://[user:password@]host:port[/db]`, or `rediss://` for TLS. */
export const RedisTopologySchema = z
  .url({ protocol: /^rediss?$/, error: "expected a redis:// or rediss:// URL" })
  .transform((url): RedisTopology => ({ kind: "single", url }));

/** The password of the topology, both as the URL encodes it and decoded. No log may contain either. */
export function secretsOfTopology({ url }: RedisTopology): string[] {
  const { password } = new URL(url);
  return [password, decodeURIComponent(password)];
}
