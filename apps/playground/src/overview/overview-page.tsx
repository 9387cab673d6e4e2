/** How the platform is, and how this page shows it. */
import { client } from "../state/connection.ts";
import { Await } from "../ui/states.tsx";
import { useLoad } from "../ui/use-load.ts";
import { AgentList } from "./agent-list.tsx";
import { HealthCards } from "./health-cards.tsx";
import { MetricsSection } from "./metrics-section.tsx";
import { QueueTable } from "./queue-table.tsx";
import { texts } from "./texts.ts";
import { ThisPage } from "./this-page.tsx";

const HEALTH_EVERY_MS = 5_000;

const BADGES = { ok: "up", degraded: "degraded", down: "down" };

export function OverviewPage() {
  const health = useLoad((signal) => client.value.health({ signal }), [], { everyMs: HEALTH_EVERY_MS });
  return (
    <div class="page overview">
      <header>
        <h1>{texts.title}</h1>
        {health.value !== undefined && (
          <p class="state">
            <span class={`badge ${BADGES[health.value.status]}`}>{texts[health.value.status]}</span>
            {health.value.version !== undefined && (
              <span class="muted small number">{texts.version(health.value.version)}</span>
            )}
          </p>
        )}
      </header>
      <Await of={health}>{({ checks }) => <HealthCards checks={checks} />}</Await>
      <MetricsSection />
      {health.value !== undefined && <QueueTable queues={health.value.checks.queues} />}
      <AgentList />
      <ThisPage />
    </div>
  );
}
