/** Fills a database with other sessions inside SQLite: a million rows through Knex would take minutes. */
import { openWritableDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";

const MESSAGES_PER_SESSION = 100;

/** Ids in rising order in the shape of UUIDs of version 7, older than any id that the platform makes. */
const idOf = (kind: number, number: string) => `printf('01000000-000${kind}-7000-8000-%012x', ${number})`;

export async function seedMessages(file: string, owner: string, messages: number): Promise<void> {
  const db = openWritableDatabase(file);
  const now = new Date().toISOString();
  const numbers = (count: number) =>
    `with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${count - 1})`;
  try {
    await db.transaction(async (transaction) => {
      await transaction.raw(
        `insert into sessions (id, owner, agent_type, config, metadata, created_at, updated_at)
         ${numbers(messages / MESSAGES_PER_SESSION)}
         select ${idOf(1, "n")}, ?, 'chat_basic', '{}', '{}', ?, ? from numbers`,
        [owner, now, now],
      );
      await transaction.raw(
        `insert into agent_logs (id, owner, kind, agent_type, session_id, task, status, fencing_token, attempts, worker,
           created_at, started_at, finished_at)
         ${numbers(messages / 2)}
         select ${idOf(2, "n")}, ?, 'chat', 'chat_basic', ${idOf(1, `n / ${MESSAGES_PER_SESSION / 2}`)}, '',
           'completed', 1, 1, 'none', ?, ?, ? from numbers`,
        [owner, now, now, now],
      );
      await transaction.raw(
        `insert into messages (id, session_id, job_id, ordinal, role, content, tokens_used, metadata, created_at)
         ${numbers(messages)}
         select ${idOf(3, "n")}, ${idOf(1, `n / ${MESSAGES_PER_SESSION}`)}, ${idOf(2, "n / 2")},
           n % ${MESSAGES_PER_SESSION} + 1, case n % 2 when 0 then 'user' else 'assistant' end,
           'A message of some two hundred characters. ' || hex(randomblob(80)), 50, '{}', ? from numbers`,
        [now],
      );
    });
  } finally {
    await db.destroy();
  }
}
