/** The last ten minutes as charts, and the workers' load. */
import type { Metrics } from "@agent-paas/client";
import { client } from "../state/connection.ts";
import { formatDuration, formatNumber } from "../text/format.ts";
import { Await } from "../ui/states.tsx";
import { useLoad } from "../ui/use-load.ts";
import { LineChart } from "./line-chart.tsx";
import { texts } from "./texts.ts";
import { WorkerTable } from "./worker-table.tsx";

const EVERY_MS = 5_000;

export function MetricsSection() {
  const metrics = useLoad((signal) => client.peek().metrics({ signal }), [client.value], { everyMs: EVERY_MS });
  return (
    <Await of={metrics}>
      {({ points, workers }) => (
        <>
          <section class="charts" aria-label={texts.charts}>
            <LineChart
              title={texts.tokens}
              format={(value) => formatNumber(value, value < 10 ? 1 : 0)}
              series={[{ name: texts.tokens, samples: samplesOf(points, (point) => point.tokens_per_s) }]}
            />
            <LineChart
              title={texts.firstToken}
              format={formatDuration}
              series={[
                { name: texts.half, samples: samplesOf(points, ({ first_token_ms }) => first_token_ms?.p50 ?? null) },
                { name: texts.most, samples: samplesOf(points, ({ first_token_ms }) => first_token_ms?.p95 ?? null) },
              ]}
            />
            <LineChart
              title={texts.jobs}
              format={formatNumber}
              series={[
                { name: texts.running, samples: samplesOf(points, ({ running }) => running) },
                { name: texts.queued, samples: samplesOf(points, ({ queued }) => queued) },
              ]}
            />
          </section>
          <WorkerTable workers={workers} />
        </>
      )}
    </Await>
  );
}

type Point = Metrics["points"][number];

const samplesOf = (points: readonly Point[], read: (point: Point) => number | null) =>
  points.map((point) => ({ at: Date.parse(point.at), value: read(point) }));
