/**
 * The journal of one job (I5), kept in the database. A step is named by its kind, its input and how many like it came
 * before, so a retry that does the same things in another order still finds them. What must not be done twice is
 * written before it is begun; a row that was begun and not finished is in doubt. A write that the fence refuses means
 * that the job is another attempt's: nothing is done (I4).
 */
import { createHash } from "node:crypto";
import type { BudgetAmounts } from "@agent-paas/agents/job/budget.ts";
import type { BegunJournalEntry, Journal, Step } from "@agent-paas/agents/job/journal.ts";
import { addUsage, type ModelTurn } from "@agent-paas/agents/model/model.ts";
import { NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { JournalRow } from "@agent-paas/shared/db/rows.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import type { JournalRepository } from "../storage/journal-repository.ts";

export type JobJournal = Journal & {
  /**
   * The journal of a part of the job, whose steps are told apart from all others by its name. A part that is run again
   * within the attempt begins at its first step, and finds those that it has finished.
   */
  within(name: string): JobJournal;
  /** What the steps of former attempts have used: they count, and are not done again. */
  used(): Promise<{ readonly usage: Usage; readonly budget: BudgetAmounts }>;
};

export type JobJournalOptions = {
  readonly steps: JournalRepository;
  readonly jobId: string;
  readonly fencingToken: number;
  /** Whether an attempt before this one may have left steps. */
  readonly resumed: boolean;
  /** The job is another attempt's by now. */
  readonly onRefused: () => void;
};

const MAX_VALUE_CHARS = 1024 * 1024;
/** Longer inputs are conversations; people find them among the messages. */
const MAX_INPUT_CHARS = 4_000;

export function createJobJournal(options: JobJournalOptions): JobJournal {
  const { steps, jobId, fencingToken, resumed, onRefused } = options;
  let lastNo = 0;
  let known: Promise<Map<string, JournalRow>> | null = null;

  /** What earlier attempts have left; this one adds to it. */
  async function load(): Promise<Map<string, JournalRow>> {
    const rows = resumed ? await steps.load(jobId) : [];
    lastNo = rows.at(-1)?.step_no ?? 0;
    return new Map(rows.map((row) => [row.step_key, row]));
  }

  async function save(step: JournalRow): Promise<void> {
    if (await steps.save(step)) {
      (await known)?.set(step.step_key, step);
      return;
    }
    onRefused();
    throw new WriterRefused();
  }

  function within(place: readonly string[]): JobJournal {
    const timesBegun = new Map<string, number>();
    return {
      within: (name) => within([...place, name]),

      async used() {
        known ??= load();
        const rows = [...(await known).values()];
        const turns = rows.filter(({ kind, value }) => kind === "model" && value !== null);
        const usage = turns.reduce((sum, { value }) => addUsage(sum, usageOf(value ?? "")), NO_USAGE);
        const toolCalls = rows.filter(({ kind }) => kind === "tool").length;
        return { usage, budget: { steps: turns.length, toolCalls, outputTokens: usage.output_tokens } };
      },

      async begin({ kind, input, idempotent }: Step): Promise<BegunJournalEntry> {
        const json = JSON.stringify(input) ?? "null";
        const name = JSON.stringify([place, kind, json]);
        // Before anything is awaited: steps that are begun side by side are numbered in the order they were begun.
        const times = (timesBegun.get(name) ?? 0) + 1;
        timesBegun.set(name, times);
        const key = digest(`${name}#${times}`);
        known ??= load();
        const row = (await known).get(key);
        if (row?.status === "finished") return { state: "finished", value: JSON.parse(row.value ?? "null") };
        if (row !== undefined && !idempotent) return { state: "in_doubt" };

        const started: JournalRow = {
          job_id: jobId,
          step_no: row?.step_no ?? ++lastNo,
          step_key: key,
          kind,
          input: json.length <= MAX_INPUT_CHARS ? json : null,
          status: "started",
          value: null,
          fencing_token: fencingToken,
          started_at: new Date().toISOString(),
          finished_at: null,
        };
        if (!idempotent) await save(started);
        return {
          state: "new",
          id: digest(`${jobId}/${key}`).slice(0, 32),
          async finish(value) {
            const valueJson = JSON.stringify(value) ?? "null";
            if (valueJson.length > MAX_VALUE_CHARS)
              throw new RangeError(`a step's value exceeds ${MAX_VALUE_CHARS} characters`);
            await save({ ...started, status: "finished", value: valueJson, finished_at: new Date().toISOString() });
          },
        };
      },
    };
  }
  return within([]);
}

/** Agents may name steps of their own as they like, `model` too. */
const usageOf = (turn: string): Usage => (JSON.parse(turn) as Partial<ModelTurn> | null)?.usage ?? NO_USAGE;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
