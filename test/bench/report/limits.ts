/** What the figures do not cover; printed wherever they are shown. */
export const NOT_MEASURED = [
  "Real models, networks and TLS: everything runs on one machine over loopback, and the model server and the load " +
    "generator share its cores with the measured processes.",
  "The baselines store nothing and check nothing: no log to resume from, no database, no keys, no order within a " +
    "session, no recovery. Their figures are the cost of a system without these features.",
  "Agents that call the model more than once: tools, retrieval, orchestration.",
  "Several API processes, several machines, network file systems; PostgreSQL without `--database postgres`, a Redis " +
    "Cluster without `--redis cluster`.",
  "Slow clients, resumed streams, faults: `npm run chaos` and the tests cover those.",
  "Power cuts: SQLite syncs its log at a checkpoint, Redis its file every second, and no figure includes a wait " +
    "for a disk.",
  "Resident memory counts pages that several processes share (above all the Node binary) once per process.",
];
