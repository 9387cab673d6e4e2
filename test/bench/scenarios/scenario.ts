/** A scenario names a load and the systems it runs on. A measurement is one round of one system and yields figures. */
import type { LoadClient } from "../client/load-client.ts";
import type { ModelServer } from "../systems/model.ts";

/**
 * `ours` has the two workers of `npm start`, `ours-1` one; `floor` has one, `floor-2` two. `model` is the model server,
 * called directly. `ours-pg` is `ours` on PostgreSQL, `ours-cluster` on a Redis Cluster, `ours-openai` is read through
 * the door of OpenAI.
 */
export type SystemName =
  | "ours"
  | "ours-1"
  | "ours-pg"
  | "ours-cluster"
  | "ours-openai"
  | "direct"
  | "floor"
  | "floor-2"
  | "model"
  | "bullmq"
  | "bullmq-http";

export type Figures = Readonly<Record<string, number>>;

export type BenchContext = {
  readonly model: ModelServer;
  readonly load: LoadClient;
  readonly quick: boolean;
  /** Number of workers of `ours` in scenarios that do not set it. */
  readonly workers: number;
  /** Length of the scenario `soak`. */
  readonly soakMinutes: number;
  readonly cpuProfDir: string | undefined;
  /** Records a problem that no figure shows. */
  readonly remark: (text: string) => void;
};

export type Scenario = {
  readonly name: string;
  /** One line for readers of the results. */
  readonly about: string;
  readonly systems: readonly SystemName[];
  /** Whether `--quick` runs the scenario. */
  readonly inQuick: boolean;
  /** Runs in the first round only: for long scenarios that compare within one measurement. */
  readonly once?: boolean;
  measure(system: SystemName, context: BenchContext): Promise<Figures>;
};
