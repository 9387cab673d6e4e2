/** Times, tokens and the like of one job. */
import type { Job } from "@agent-paas/client";
import { formatDuration, formatNumber, formatTime } from "../text/format.ts";
import { texts } from "./texts.ts";
import { jobTokensPerSecond, type Row } from "./timeline.ts";

export function Facts({ job, rows }: { readonly job: Job; readonly rows: readonly Row[] }) {
  const { created_at, started_at, finished_at, usage, attempt } = job;
  const speed = jobTokensPerSecond(rows);
  const models = Object.keys(usage?.models ?? {});
  const facts: readonly (readonly [name: string, value: string | null])[] = [
    [texts.kind, texts[job.kind]],
    [texts.created, formatTime(created_at)],
    [texts.waited, started_at && formatDuration(Date.parse(started_at) - Date.parse(created_at))],
    [texts.took, finished_at && formatDuration(Date.parse(finished_at) - Date.parse(started_at ?? created_at))],
    [texts.finished, finished_at && formatTime(finished_at)],
    [texts.attempt, attempt === null || attempt < 2 ? null : formatNumber(attempt)],
    [texts.inputTokens, usage && formatNumber(usage.input_tokens)],
    [texts.outputTokens, usage && formatNumber(usage.output_tokens)],
    [texts.speed, speed === null ? null : formatNumber(speed, speed < 10 ? 1 : 0)],
    [texts.models, models.length === 0 ? null : models.join(", ")],
  ];
  return (
    <dl class="card facts">
      {facts
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="number" dir="auto">
              {value}
            </dd>
          </div>
        ))}
    </dl>
  );
}
