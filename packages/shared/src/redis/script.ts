/**
 * Lua scripts as typed functions. A script names its keys and arguments; the Lua text uses these names as local
 * variables, so no position can be confused on either side.
 */
import type { RedisConnection } from "./connect.ts";

type Values<Keys extends string, Args extends string> = Readonly<Record<Keys, string>> &
  Readonly<Record<Args, string | number>> & {
    /** Further arguments behind the named ones, for scripts that take a list: `ARGV[#args + 1]` and so on. */
    readonly rest?: readonly (string | number)[];
  };

export type Script<Keys extends string, Args extends string, Reply> = {
  /** Binds the script to a connection. Bind it once per connection: the text is registered there. */
  on(redis: RedisConnection): (values: Values<Keys, Args>) => Promise<Reply>;
};

export type ScriptOptions<Keys extends string, Args extends string> = {
  /** The name of the command on the connection; unique among all scripts. */
  readonly name: string;
  /** Names of the keys, in their order; all of one hash tag. */
  readonly keys: readonly Keys[];
  /** Names of the arguments, in their order. Lua receives each as a string. */
  readonly args: readonly Args[];
  readonly lua: string;
};

/** Curried, because TypeScript infers either all type parameters or none: `defineScript<Reply>()({ name, keys, … })`. */
export const defineScript =
  <Reply>() =>
  <const Keys extends string, const Args extends string>({
    name,
    keys,
    args,
    lua,
  }: ScriptOptions<Keys, Args>): Script<Keys, Args, Reply> => {
    const text = `${localsOf(keys, "KEYS")}${localsOf(args, "ARGV")}${lua}`;
    return {
      on(redis) {
        const command = defineCommand<Reply>(redis, name, text, keys.length);
        return (values) =>
          command(...keys.map((key) => values[key]), ...args.map((arg) => values[arg]), ...(values.rest ?? []));
      },
    };
  };

/** A script whose number of keys varies from call to call; its caller puts keys and arguments together. */
export const defineVariadicScript =
  <Reply>() =>
  (name: string, lua: string) => ({
    on: (redis: RedisConnection): ((keyCount: number, ...values: (string | number)[]) => Promise<Reply>) =>
      defineCommand<Reply>(redis, name, lua),
  });

type Command<Reply> = (...values: (string | number)[]) => Promise<Reply>;

/** ioredis adds commands to its connections at run time, so their types cannot know them: the one cast for all scripts. */
function defineCommand<Reply>(redis: RedisConnection, name: string, lua: string, numberOfKeys?: number) {
  redis.defineCommand(name, { lua, ...(numberOfKeys === undefined ? {} : { numberOfKeys }) });
  const commands = redis as unknown as Readonly<Record<string, Command<Reply>>>;
  const command = commands[name];
  if (command === undefined) throw new Error(`The script ${name} was not defined`);
  return command.bind(redis);
}

const localsOf = (names: readonly string[], list: string): string =>
  names.map((name, at) => `local ${name} = ${list}[${at + 1}]\n`).join("");
