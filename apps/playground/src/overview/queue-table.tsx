/** How many jobs each queue has, and in which state. */
import { formatNumber } from "../text/format.ts";
import { TableHead } from "../ui/table-head.tsx";
import { type Check, numberOf } from "./health-cards.tsx";
import { texts } from "./texts.ts";

const QUEUES = ["chat", "execute", "knowledge"] as const;
const COUNTS = ["waiting", "active", "delayed", "failed"] as const;

export function QueueTable({ queues }: { readonly queues: Check }) {
  const rows = QUEUES.flatMap((name) => {
    const counts = queues[name];
    return typeof counts === "object" && counts !== null ? [{ name, counts: counts as Record<string, unknown> }] : [];
  });
  if (rows.length === 0) return null;
  return (
    <section class="card" aria-label={texts.queues}>
      <h2>{texts.queues}</h2>
      <div class="table-frame">
        <table class="list">
          <TableHead columns={[texts.queue, ...COUNTS.map((count) => ({ name: texts[count], class: "amount" }))]} />
          <tbody>
            {rows.map(({ name, counts }) => (
              <tr key={name}>
                <th scope="row">{texts[name]}</th>
                {COUNTS.map((count) => (
                  <td key={count} class={counts[count] === 0 ? "amount number muted" : "amount number"}>
                    {textOf(counts[count])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function textOf(count: unknown): string {
  const value = numberOf(count);
  return value === null ? "–" : formatNumber(value);
}
