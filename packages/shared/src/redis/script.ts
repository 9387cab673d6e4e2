/**
 * Lua scripts as typed functions. A script names its keys and arguments, and its Lua text uses these names as local
 * variables, so neither side depends on positions. `rest_from` is where a list of further arguments begins, and
 * `PUBLISH` the command that publishes: on a cluster, one that stays on the server of the channel's hash tag.
 */
import { isSharded, type RedisConnection } from "./connect.ts";

type Values<Keys extends string, Args extends string> = Readonly<Record<Keys, string>> &
  Readonly<Record<Args, string | number | Buffer>> & {
    /** Further arguments behind the named ones, for scripts that take a list: from `ARGV[rest_from]` on. */
    readonly rest?: readonly (string | number)[];
  };

export type Script<Keys extends string, Args extends string, Reply> = {
  /** Binds the script to a connection. Do it once per connection, because it registers the text there. */
  on(redis: RedisConnection): (values: Values<Keys, Args>) => Promise<Reply>;
};

export type ScriptOptions<Keys extends string, Args extends string> = {
  /** The name of the command on the connection. It must be unique among all scripts. */
  readonly name: string;
  /** Names of the keys, in their order. All keys of a call must have the same hash tag. */
  readonly keys: readonly Keys[];
  /** Names of the arguments, in their order. Lua receives every value as a string. */
  readonly args: readonly Args[];
  readonly lua: string;
};

/**
 * Usage: `defineScript<Reply>()({ name, keys, … })`. It is curried because TypeScript infers either all type
 * parameters of a call or none.
 */
export const defineScript =
  <Reply>() =>
  <const Keys extends string, const Args extends string>({
    name,
    keys,
    args,
    lua,
  }: ScriptOptions<Keys, Args>): Script<Keys, Args, Reply> => {
    for (const local of [...keys, ...args]) assertLocal(name, local);
    const text = `${localsOf(keys, "KEYS")}${localsOf(args, "ARGV")}local rest_from = ${args.length + 1}\n${lua}`;
    return {
      on(redis) {
        const command = defineCommand<Reply>(redis, { name, lua: text, numberOfKeys: keys.length });
        return (values) =>
          command(...keys.map((key) => values[key]), ...args.map((arg) => values[arg]), ...(values.rest ?? []));
      },
    };
  };

/**
 * A script whose number of keys varies from call to call. The caller passes that number, the keys and the arguments.
 */
export const defineVariadicScript =
  <Reply>() =>
  (name: string, lua: string) => ({
    on: (redis: RedisConnection): ((keyCount: number, ...values: (string | number)[]) => Promise<Reply>) =>
      defineCommand<Reply>(redis, { name, lua }),
  });

type Command<Reply> = (...values: (string | number | Buffer)[]) => Promise<Reply>;

type CommandDefinition = { readonly name: string; readonly lua: string; readonly numberOfKeys?: number };

/**
 * The only cast for scripts: ioredis adds commands to a connection at run time, so the connection's type lacks them.
 */
function defineCommand<Reply>(redis: RedisConnection, { name, ...definition }: CommandDefinition): Command<Reply> {
  const publish = isSharded(redis) ? "SPUBLISH" : "PUBLISH";
  redis.defineCommand(name, { ...definition, lua: `local PUBLISH = '${publish}'\n${definition.lua}` });
  const commands = redis as unknown as Readonly<Record<string, Command<Reply>>>;
  const command = commands[name];
  if (command === undefined) throw new Error(`The script ${name} was not defined`);
  return command.bind(redis);
}

const localsOf = (names: readonly string[], list: string): string =>
  names.map((name, at) => `local ${name} = ${list}[${at + 1}]\n`).join("");

/** Lua globals that scripts use: a local variable of the same name would hide them. */
const GLOBALS = [
  "redis",
  "cjson",
  "string",
  "math",
  "table",
  "pairs",
  "ipairs",
  "next",
  "type",
  "tonumber",
  "tostring",
];
const KEYWORDS = [
  "and",
  "end",
  "false",
  "for",
  "if",
  "in",
  "local",
  "nil",
  "not",
  "or",
  "repeat",
  "then",
  "true",
  "until",
];

function assertLocal(script: string, name: string): void {
  if (/^[a-z_]+$/.test(name) && !GLOBALS.includes(name) && !KEYWORDS.includes(name)) return;
  throw new Error(`The script ${script} cannot name a value "${name}"`);
}
