/** Which jobs are listed. It stays as it is while one of them is looked at. */
import type { JobStatus, JobsQuery } from "@agent-paas/client";
import { signal } from "@preact/signals";
import { client } from "../state/connection.ts";
import { statusWord } from "../ui/status-badge.tsx";
import { useLoad } from "../ui/use-load.ts";
import { texts } from "./texts.ts";

export const query = signal<Pick<JobsQuery, "status" | "kind" | "agent_type">>({});

const STATUSES: readonly JobStatus[] = ["queued", "running", "waiting", "completed", "failed", "cancelled"];
const KINDS = ["chat", "execute"] as const;
/** What the platform runs by itself for requests. */
const SYSTEM_JOBS = ["knowledge.ingest", "knowledge.query"];

export function Filters() {
  const agents = useLoad((signal) => client.value.agents.list({ signal }), [client.value]);
  const { status, kind, agent_type } = query.value;
  const ids = [...(agents.value ?? []).map(({ id }) => id), ...SYSTEM_JOBS];
  return (
    <form class="filters" aria-label={texts.filters}>
      <Choice
        name={texts.status}
        chosen={status}
        of={STATUSES}
        wordOf={statusWord}
        set={(status) => choose({ status })}
      />
      <Choice
        name={texts.kind}
        chosen={kind}
        of={KINDS}
        wordOf={(one) => texts[one]}
        set={(kind) => choose({ kind })}
      />
      <Choice name={texts.agent} chosen={agent_type} of={ids} set={(agent_type) => choose({ agent_type })} />
    </form>
  );
}

const choose = (part: Partial<JobsQuery>): void => {
  query.value = { ...query.value, ...part };
};

type ChoiceProps<Value extends string> = {
  readonly name: string;
  readonly chosen: Value | undefined;
  readonly of: readonly Value[];
  wordOf?(value: Value): string;
  set(value: Value | undefined): void;
};

/** The first choice is not to choose. */
function Choice<Value extends string>({ name, chosen, of, wordOf = (value) => value, set }: ChoiceProps<Value>) {
  return (
    <label class="field">
      <span class="name">{name}</span>
      <select value={chosen ?? ""} onChange={(event) => set(of.find((value) => value === event.currentTarget.value))}>
        <option value="">{texts.any}</option>
        {of.map((value) => (
          <option key={value} value={value}>
            {wordOf(value)}
          </option>
        ))}
      </select>
    </label>
  );
}
