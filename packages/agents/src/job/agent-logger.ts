/** The log as agents and tools have it. Lines carry the job's ids already. */
export type AgentLogger = {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};
