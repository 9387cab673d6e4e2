/** Each part of the platform, with what it says of itself. */
import type { Health } from "@agent-paas/client";
import { formatBytes, formatDuration, formatNumber } from "../text/format.ts";
import { texts } from "./texts.ts";

type Checks = Health["checks"];
export type Check = Checks[keyof Checks];

const PARTS = ["redis", "database", "vector_store", "workers", "queues"] as const satisfies (keyof Checks)[];

export const HealthCards = ({ checks }: { readonly checks: Checks }) => (
  <section class="health" aria-label={texts.health}>
    {PARTS.map((part) => (
      <div class="card" key={part}>
        <h2>{texts[part]}</h2>
        <span class={`badge ${checks[part].status}`}>{texts[checks[part].status]}</span>
        {typeof checks[part].reason === "string" && <p class="problem">{checks[part].reason}</p>}
        <dl>
          {factsOf(part, checks[part]).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="number">{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    ))}
  </section>
);

/** What a check says in numbers; null if it does not. */
export const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

function factsOf(part: keyof Checks, check: Check): readonly (readonly [string, string])[] {
  const facts: (readonly [string, string | null])[] = [];
  const count = (value: unknown) => withValue(numberOf(value), formatNumber);
  if (part === "redis") facts.push([texts.latency, withValue(numberOf(check.latency_ms), formatDuration)]);
  if (part === "redis") facts.push([texts.memory, memoryOf(check)]);
  if (part === "workers") facts.push([texts.live, count(check.live)], [texts.busy, count(check.busy)]);
  if (part === "queues") facts.push([texts.suspended, count(check.suspended)]);
  return facts.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

const withValue = (value: number | null, format: (value: number) => string): string | null =>
  value === null ? null : format(value);

function memoryOf({ used_memory_bytes, max_memory_bytes }: Check): string | null {
  const [used, most] = [numberOf(used_memory_bytes), numberOf(max_memory_bytes)];
  if (used === null) return null;
  return most === null ? formatBytes(used) : texts.memoryOf(formatBytes(used), formatBytes(most));
}
