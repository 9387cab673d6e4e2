/** Starts a job of an agent and goes to it. */
import type { Agent, ExecuteRequest } from "@agent-paas/client";
import { ArrowLeft, Bot, Play } from "lucide";
import { useId, useState } from "preact/hooks";
import { asSchema, completed, fieldOf, hasFields } from "../forms/field.ts";
import { isValid } from "../forms/problems.ts";
import { SchemaForm } from "../forms/schema-form.tsx";
import { SnippetButton } from "../snippets/snippet-button.tsx";
import { client } from "../state/connection.ts";
import { goTo, linkTo } from "../state/route.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { notifyError } from "../ui/notices.tsx";
import { Await, Empty } from "../ui/states.tsx";
import { useLoad } from "../ui/use-load.ts";
import { requestSchema } from "./request-schema.ts";
import { texts } from "./texts.ts";

export function ExecutePage() {
  const agents = useLoad((signal) => client.value.agents.list({ signal }), [client.value]);
  return (
    <div class="page jobs execute">
      <a class="back" href={linkTo("jobs")}>
        <Icon of={ArrowLeft} size={14} /> {texts.back}
      </a>
      <header>
        <h1>{texts.newJob}</h1>
      </header>
      <Await of={agents}>
        {(all) => (all.length === 0 ? <Empty icon={Bot}>{texts.noAgents}</Empty> : <ExecuteForm agents={all} />)}
      </Await>
    </div>
  );
}

function ExecuteForm({ agents }: { readonly agents: readonly Agent[] }) {
  const id = useId();
  const [agentId, setAgentId] = useState(agents[0]?.id ?? "");
  const [request, setRequest] = useState<unknown>();
  const [config, setConfig] = useState<unknown>();
  const [wasTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const agent = agents.find(({ id }) => id === agentId);
  const schema = requestSchema();
  const settings = fieldOf(agent?.config_schema);
  const set = asSchema(completed(settings, config));
  const body: ExecuteRequest = { ...asSchema(request), ...(Object.keys(set).length > 0 && { config: set }) };

  const start = async () => {
    setTried(true);
    if (!isValid(schema, request) || !isValid(agent?.config_schema, config)) return;
    setBusy(true);
    try {
      const { job_id } = await client.peek().execute(agentId, body);
      goTo("jobs", job_id);
    } catch (error) {
      notifyError(error);
      setBusy(false);
    }
  };

  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <section class="card stack">
        <div class="field">
          <label class="name" for={id}>
            {texts.agent}
          </label>
          <select
            id={id}
            value={agentId}
            aria-describedby={`${id}-hint`}
            onChange={(event) => {
              setAgentId(event.currentTarget.value);
              setConfig(undefined);
            }}
          >
            {agents.map(({ id }) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
          <div class="hint" id={`${id}-hint`} dir="auto">
            {agent?.description}
          </div>
        </div>
        <SchemaForm schema={schema} value={request} onChange={setRequest} showsMissing={wasTried} disabled={isBusy} />
      </section>
      {hasFields(settings) && (
        <section class="card part" aria-label={texts.config}>
          <h2>{texts.config}</h2>
          <SchemaForm
            key={agentId}
            schema={agent?.config_schema}
            value={config}
            onChange={setConfig}
            showsMissing={wasTried}
            disabled={isBusy}
            label={texts.config}
          />
        </section>
      )}
      <div class="actions">
        <SnippetButton request={{ kind: "execute", agent: agentId, body: readable(body) }} />
        <Button type="submit" look="primary" icon={Play} disabled={isBusy}>
          {texts.start}
        </Button>
      </div>
    </form>
  );
}

/** What is being typed and is no value yet is shown as a text. */
const readable = (body: ExecuteRequest): ExecuteRequest => JSON.parse(JSON.stringify(body));
