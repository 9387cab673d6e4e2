/** The log of one job for its agents and tools. Every line already carries the job's ids. */
export type AgentLogger = {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};
