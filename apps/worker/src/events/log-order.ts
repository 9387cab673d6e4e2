/**
 * The order of an event log is its fence (I4). Redis refuses an entry whose id is not above the last one of the
 * stream, so a claim raises that last id beyond everything that the attempts before it can still append without being
 * checked: such an append then fails by itself, and an ordinary batch needs no other check.
 */

/** How many events one writer may append, not counting the terminal ones. */
export const MAX_EVENTS = 100_000;

/**
 * An attempt starts this many numbers after the last entry of the log. An attempt before it never reaches that number
 * without a check. The last events of a crashed attempt may be missing from the log although clients saw them; no `seq`
 * is used for a second event all the same (I2).
 */
export const SEQ_SKIP_PER_ATTEMPT = MAX_EVENTS;

/** The id of a batch in the log. */
export const entryId = (last: number, first: number): string => `${last}-${first}`;

/**
 * Lua: `log_order(log)` returns the last `seq` in the log and the `seq` that the next entry must be above; 0 and 0
 * without a log. `raise_log(log, seq)` makes `seq` the number that the next entry must be above; `set_log_order` does
 * so to a log that exists, where `seq` may be below that number but not below the last entry.
 */
export const LOG_ORDER_LUA = `
local function log_order(log)
  local info = redis.pcall('XINFO', 'STREAM', log)
  local last, fence = 0, 0
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then fence = tonumber(string.match(info[i + 1], '^%d+')) end
    if info[i] == 'last-entry' and info[i + 1] then last = tonumber(string.match(info[i + 1][1], '^%d+')) end
  end
  return last, fence
end
local function set_log_order(log, seq)
  redis.call('XSETID', log, string.format('%.0f-18446744073709551615', seq))
end
local function raise_log(log, seq)
  if redis.call('EXISTS', log) == 1 then return set_log_order(log, seq) end
  redis.call('XADD', log, 'MAXLEN', 0, string.format('%.0f-18446744073709551615', seq), 'b', '')
end
`;
