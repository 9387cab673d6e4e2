/** What a value is typed or chosen with. */
import { useState } from "preact/hooks";
import { type Read, readJson, readLines, readNumber, readText, writeJson, writeLines, writeValue } from "./draft.ts";
import type { Field } from "./field.ts";
import { isSame } from "./problems.ts";
import { texts } from "./texts.ts";

type Props = {
  readonly id: string;
  readonly label: string;
  readonly field: Field;
  readonly value: unknown;
  readonly isWrong: boolean;
  readonly describedBy: string;
  onChange(value: unknown): void;
};

/** Longer texts have room for lines. */
const ONE_LINE_CHARS = 200;

export function Control(props: Props) {
  if (!props.field.isNullable) return <PlainControl {...props} />;
  const isNull = props.value === null;
  return (
    <div class="nullable">
      {isNull ? <span /> : <PlainControl {...props} />}
      <NullCheck id={isNull ? props.id : undefined} {...{ isNull }} label={props.label} onChange={props.onChange} />
    </div>
  );
}

type NullCheckProps = {
  readonly id?: string | undefined;
  readonly label: string;
  readonly isNull: boolean;
  onChange(value: unknown): void;
};

export const NullCheck = ({ id, label, isNull, onChange }: NullCheckProps) => (
  <label class="check">
    <input
      type="checkbox"
      id={id}
      checked={isNull}
      aria-label={`${label}: ${texts.none}`}
      onChange={(event) => onChange(event.currentTarget.checked ? null : undefined)}
    />
    <code>{texts.none}</code>
  </label>
);

function PlainControl(props: Props) {
  const { field } = props;
  switch (field.kind) {
    case "choice":
      return <Choice {...props} values={field.values} />;
    case "texts":
      if (field.values !== null) return <Checks {...props} values={field.values} />;
      return <Typed {...props} read={readLines} write={writeLines} rows={2} />;
    case "number":
      return <Typed {...props} read={readNumber} write={writeValue} inputMode="decimal" />;
    case "text": {
      const { maxLength, format } = field.schema;
      const isOneLine = format !== undefined || (typeof maxLength === "number" && maxLength <= ONE_LINE_CHARS);
      return <Typed {...props} read={readText} write={writeValue} rows={isOneLine ? 0 : 1} />;
    }
    default:
      return <Typed {...props} read={readJson} write={writeJson} rows={3} isCode />;
  }
}

type TypedProps = Props & {
  readonly read: Read;
  write(value: unknown): string;
  /** 0: one line. */
  readonly rows?: number;
  readonly inputMode?: "decimal";
  readonly isCode?: boolean;
};

/** Shows what was typed as long as it says what the value is: `1.0` stays, though the value is 1. */
function Typed({ id, label, field, value, isWrong, describedBy, onChange, ...look }: TypedProps) {
  const { read, write, rows = 0, inputMode, isCode = false } = look;
  const [draft, setDraft] = useState<string | null>(null);
  const typed = draft !== null && isSame(read(draft), value) ? draft : write(value);
  const fallback = field.schema.default;
  const shared = {
    id,
    value: typed,
    placeholder: fallback === undefined ? (isCode ? texts.json : "") : write(fallback),
    "aria-label": label === "" ? texts.json : undefined,
    "aria-invalid": isWrong,
    "aria-describedby": describedBy,
    dir: "auto" as const,
    autocomplete: "off" as const,
    spellcheck: false,
    onInput: (event: { readonly currentTarget: { readonly value: string } }) => {
      const text = event.currentTarget.value;
      setDraft(text);
      onChange(read(text));
    },
  };
  if (rows === 0) return <input type="text" inputMode={inputMode} {...shared} />;
  return <textarea rows={rows} class={isCode ? "code grows" : "grows"} {...shared} />;
}

const nameOf = (value: unknown): string => {
  if (typeof value === "boolean") return value ? texts.yes : texts.no;
  return typeof value === "string" ? value : JSON.stringify(value);
};

function Choice(props: Props & { readonly values: readonly unknown[] }) {
  const { id, label, field, value, values, isWrong, describedBy, onChange } = props;
  const chosen = values.findIndex((one) => isSame(one, value));
  const fallback = field.schema.default;
  return (
    <select
      id={id}
      value={String(chosen)}
      aria-label={label === "" ? texts.notSet : undefined}
      aria-invalid={isWrong}
      aria-describedby={describedBy}
      onChange={(event) => onChange(values[Number(event.currentTarget.value)])}
    >
      <option value="-1">{fallback === undefined ? texts.notSet : texts.defaultOf(nameOf(fallback))}</option>
      {values.map((one, index) => (
        <option key={nameOf(one)} value={String(index)}>
          {nameOf(one)}
        </option>
      ))}
    </select>
  );
}

function Checks({ id, label, value, values, describedBy, onChange }: Props & { readonly values: readonly string[] }) {
  const chosen = new Set<unknown>(Array.isArray(value) ? value : []);
  const toggle = (one: string, isChosen: boolean) => {
    const next = values.filter((other) => (other === one ? isChosen : chosen.has(other)));
    onChange(next.length === 0 ? undefined : next);
  };
  return (
    <fieldset id={id} class="checks" aria-label={label} aria-describedby={describedBy}>
      {values.map((one) => (
        <label key={one} class="check" dir="auto">
          <input
            type="checkbox"
            checked={chosen.has(one)}
            onChange={(event) => toggle(one, event.currentTarget.checked)}
          />
          <span>{one}</span>
        </label>
      ))}
    </fieldset>
  );
}
