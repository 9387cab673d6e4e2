/** The agents that live workers offer, with their tools. */
import type { Agent } from "@agent-paas/client";
import { client } from "../state/connection.ts";
import { Await } from "../ui/states.tsx";
import { useLoad } from "../ui/use-load.ts";
import { texts } from "./texts.ts";

const EVERY_MS = 15_000;

export function AgentList() {
  const agents = useLoad((signal) => client.value.agents.list({ signal }), [], { everyMs: EVERY_MS });
  return (
    <section class="card" aria-label={texts.agents}>
      <h2>{texts.agents}</h2>
      <Await of={agents}>
        {(all) =>
          all.length === 0 ? (
            <p class="muted">{texts.noAgents}</p>
          ) : (
            <ul class="agents">
              {all.map((agent) => (
                <AgentRow key={agent.id} agent={agent} />
              ))}
            </ul>
          )
        }
      </Await>
    </section>
  );
}

const AgentRow = ({ agent: { id, description, tools, unavailable_tools, workers } }: { readonly agent: Agent }) => (
  <li>
    <p class="name">
      <strong>{id}</strong>
      <span class="muted small number">{texts.onWorkers(workers)}</span>
    </p>
    <p dir="auto">{description}</p>
    {tools.length > 0 && (
      <p class="tools">
        <span class="muted small">{texts.tools}</span>
        {tools.map((tool) => (
          <code key={tool}>{tool}</code>
        ))}
      </p>
    )}
    {unavailable_tools.map(({ name, reason }) => (
      <p key={name} class="small unavailable">
        {texts.unavailable}: <code>{name}</code> <span dir="auto">{reason}</span>
      </p>
    ))}
  </li>
);
