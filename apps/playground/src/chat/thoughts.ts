/** What an agent does beside its answer, as a list to show: a tool call and its result are one line, and so on. */
import type { JobStep, ThoughtEvent } from "@agent-paas/client";

export type Thought = {
  /** Of its first event, or of its step. */
  readonly id: number | string;
  /** Since the question was sent; null where nobody watched. */
  readonly atMs: number | null;
  readonly kind: "reasoning" | "tool" | "delegate" | "retrieval" | "status";
  readonly title: string;
  readonly text: string;
  /** Of a tool call or a delegated step. */
  readonly status?: string;
  readonly arguments?: string;
  readonly durationMs?: number;
  /** What makes a later event part of the same line. */
  readonly key?: string;
};

/** More lines are not kept: an agent may report without an end. */
const MOST = 500;
/** The longest text of a line, in characters; its beginning is left out. */
const MAX_TEXT = 200_000;

/** Returns a new list. */
export function gatherThought(
  list: readonly Thought[],
  { id, data }: Pick<ThoughtEvent, "id" | "data">,
  atMs: number | null,
): Thought[] {
  const last = list.at(-1);
  const add = (thought: Omit<Thought, "id" | "atMs">): Thought[] => [...list, { id, atMs, ...thought }].slice(-MOST);
  const update = (key: string, change: (thought: Thought) => Thought): Thought[] | null => {
    const at = list.findLastIndex((thought) => thought.key === key);
    return at === -1 ? null : list.with(at, change(list[at] as Thought));
  };

  switch (data.type) {
    case "reasoning":
      if (last?.kind !== "reasoning") return add({ kind: "reasoning", title: "", text: data.content });
      return [...list.slice(0, -1), { ...last, text: (last.text + data.content).slice(-MAX_TEXT) }];
    case "tool_call":
    case "tool_result": {
      const key = `call ${data.call_id}`;
      const title = String(data.name ?? "");
      const args = data.arguments === undefined ? {} : { arguments: readable(data.arguments) };
      if (data.type === "tool_call") {
        // An attempt that goes on repeats its calls.
        return update(key, (call) => call) ?? add({ kind: "tool", title, text: "", status: "running", key, ...args });
      }
      const result = {
        text: readable(data.result ?? data.content),
        status: String(data.status ?? "completed"),
        ...(typeof data.duration_ms === "number" ? { durationMs: data.duration_ms } : {}),
      };
      return update(key, (call) => ({ ...call, ...result })) ?? add({ kind: "tool", title, key, ...args, ...result });
    }
    case "delegate": {
      const key = `step ${data.step ?? id}`;
      const title = [data.step, data.agent].filter(Boolean).join(" · ");
      if (data.status === "event") return [...list];
      const change = { text: data.content, status: String(data.status ?? "") };
      return update(key, (step) => ({ ...step, ...change })) ?? add({ kind: "delegate", title, key, ...change });
    }
    case "retrieval":
      return add({ kind: "retrieval", title: String(data.source ?? ""), text: data.content });
    case "progress": {
      const change = { text: data.content, key: "progress" };
      if (last?.key !== "progress") return add({ kind: "status", title: "", ...change });
      return [...list.slice(0, -1), { ...last, ...change }];
    }
    case "approval_required":
    case "input_required":
      return [...list];
    default:
      return add({ kind: "status", title: "", text: data.content });
  }
}

const KIND_OF_STEP: Readonly<Partial<Record<JobStep["kind"], Thought["kind"]>>> = {
  model: "status",
  work: "status",
  tool: "tool",
  retrieval: "retrieval",
  delegate: "delegate",
};

/** What a job did, where only its steps are known and not what was said in them. */
export const thoughtsOfSteps = (steps: readonly JobStep[]): Thought[] =>
  steps.flatMap(({ id, kind, name, agent_type, status, started_at, ended_at }) => {
    const shownAs = KIND_OF_STEP[kind];
    if (shownAs === undefined) return [];
    const title = agent_type === undefined ? name : `${name} · ${agent_type}`;
    const times = ended_at === null ? {} : { durationMs: Date.parse(ended_at) - Date.parse(started_at) };
    return [{ id, atMs: null, kind: shownAs, title, text: "", status, ...times }];
  });

const readable = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
