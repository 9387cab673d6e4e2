/** Which agent answers, and how it is set. A conversation keeps its agent. */
import type { Agent } from "@agent-paas/client";
import { SlidersHorizontal } from "lucide";
import { useState } from "preact/hooks";
import { isValid } from "../forms/problems.ts";
import { SchemaForm } from "../forms/schema-form.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { texts } from "./texts.ts";

export type Config = Readonly<Record<string, unknown>>;

export type Choice = {
  /** Null: the first one. */
  readonly agentId: string | null;
  /** Null: as the session has it. */
  readonly config: Config | null;
};

type Props = {
  readonly agents: readonly Agent[];
  readonly agent: Agent | null;
  readonly isFixed: boolean;
  readonly config: Config;
  onChoice(change: Partial<Choice>): void;
};

export function AgentChoice({ agents, agent, isFixed, config, onChoice }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [draft, setDraft] = useState<unknown>(config);
  const [isRefused, setRefused] = useState(false);
  const close = () => setOpen(false);

  function open(): void {
    setDraft(config);
    setRefused(false);
    setOpen(true);
  }

  function save(): void {
    if (isValid(agent?.config_schema, draft ?? {})) {
      onChoice({ config: (draft ?? {}) as Config });
      close();
    } else {
      setRefused(true);
    }
  }

  return (
    <div class="agent-choice">
      <select
        aria-label={texts.agent}
        title={agent?.description}
        disabled={isFixed}
        value={agent?.id ?? ""}
        onChange={(event) => onChoice({ agentId: event.currentTarget.value, config: null })}
      >
        {agents.map(({ id }) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
      <IconButton icon={SlidersHorizontal} label={texts.settings} disabled={agent === null} onClick={open} />
      {isOpen && agent !== null && (
        <Dialog title={`${texts.settings}: ${agent.id}`} onClose={close} wide>
          <p class="muted" dir="auto">
            {agent.description}
          </p>
          <SchemaForm schema={agent.config_schema} value={draft} onChange={setDraft} showsMissing={isRefused} />
          <div class="actions">
            <Button look="plain" onClick={() => setDraft(undefined)}>
              {texts.clear}
            </Button>
            <Button look="primary" onClick={save}>
              {texts.apply}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
