/** Each worker, with how much it has to do. */
import type { Metrics } from "@agent-paas/client";
import { formatAge, formatBytes, formatNumber } from "../text/format.ts";
import { TableHead } from "../ui/table-head.tsx";
import { texts } from "./texts.ts";

type Worker = Metrics["workers"][number];

/** Shown at most. */
const MOST = 100;

export const WorkerTable = ({ workers }: { readonly workers: readonly Worker[] }) => (
  <section class="card" aria-label={texts.workers}>
    <h2>{texts.workers}</h2>
    {workers.length === 0 ? (
      <p class="muted">{texts.noWorkers}</p>
    ) : (
      <div class="table-frame">
        <table class="list">
          <TableHead
            columns={[
              texts.worker,
              texts.load,
              { name: texts.cpu, class: "amount" },
              { name: texts.memory, class: "amount" },
              { name: texts.lastSeen, class: "amount minor" },
            ]}
          />
          <tbody>
            {workers.slice(0, MOST).map((worker) => (
              <WorkerRow key={worker.id} worker={worker} />
            ))}
          </tbody>
        </table>
      </div>
    )}
  </section>
);

const WorkerRow = ({
  worker: { name, running, concurrency, cpu, memory_mb, last_seen },
}: {
  readonly worker: Worker;
}) => (
  <tr>
    <th scope="row" class="id">
      <code>{name}</code>
    </th>
    <td class="load">
      <span class="number">{texts.loadOf(running, concurrency)}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ inlineSize: `${Math.min(1, running / Math.max(1, concurrency)) * 100}%` }} />
      </span>
    </td>
    <td class="amount number">{formatNumber(cpu * 100)}%</td>
    <td class="amount number">{formatBytes(memory_mb * 1_024 ** 2)}</td>
    <td class="amount minor number muted">{formatAge(last_seen)}</td>
  </tr>
);
