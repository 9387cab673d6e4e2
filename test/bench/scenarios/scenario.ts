/** A scenario: what is measured, on which systems. One measurement is one round of one system; it has figures by name. */
import type { LoadClient } from "../client/load-client.ts";
import type { ModelServer } from "../systems/model.ts";

/** `model` is the model server asked without anything between. */
export type SystemName = "ours" | "direct" | "floor" | "model" | "bullmq" | "bullmq-http";

export type Figures = Readonly<Record<string, number>>;

export type BenchContext = {
  readonly model: ModelServer;
  readonly load: LoadClient;
  readonly quick: boolean;
  /** Workers of the product where a scenario does not say. */
  readonly workers: number;
  /** Length of `soak`. */
  readonly soakMinutes: number;
  readonly cpuProfDir: string | undefined;
  /** Takes note of something that went wrong and is no figure. */
  readonly remark: (text: string) => void;
};

export type Scenario = {
  readonly name: string;
  /** One line for readers of the results. */
  readonly about: string;
  readonly systems: readonly SystemName[];
  /** Whether it is part of `--quick`. */
  readonly inQuick: boolean;
  /** In the first round only: what takes long and compares within itself. */
  readonly once?: boolean;
  measure(system: SystemName, context: BenchContext): Promise<Figures>;
};
