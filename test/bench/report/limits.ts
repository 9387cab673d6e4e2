/** What the figures do not say; it stands wherever they are shown. */
export const NOT_MEASURED = [
  "Real models, networks and TLS: all runs on one machine over loopback, and the model server and the load generator share its cores with what they measure.",
  "The yardsticks keep nothing and check nothing: no log to resume from, no database, no keys, no order within a session, no recovery. Their figures are prices without these goods.",
  "Agents that do more than one call of the model: tools, retrieval, orchestration.",
  "Several API processes, several machines, Redis Cluster, PostgreSQL, network file systems.",
  "Slow clients, resumed streams, faults: `npm run chaos` and the tests are about those.",
  "Power cuts: SQLite syncs its log when it is cut, Redis its file every second, and no figure includes a wait for a disk.",
  "Resident memory counts pages that processes share (the Node binary, above all) in each of them.",
];
