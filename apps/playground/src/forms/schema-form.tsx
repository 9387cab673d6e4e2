/**
 * A form for what a JSON Schema describes. `value` holds only what was set: an empty field is absent, and a form with
 * nothing in it is undefined. While something is being typed that cannot be read, `Unreadable` stands in its place:
 * ask `isValid(schema, value)` before it is sent.
 */
import { useMemo } from "preact/hooks";
import { type Field, fieldOf } from "./field.ts";
import { SchemaField } from "./schema-field.tsx";

type Props = {
  /** Of any type; without properties, it is one JSON field. */
  readonly schema: unknown;
  readonly value: unknown;
  onChange(value: unknown): void;
  /** Whether fields say that they are missing: once somebody tried to send the form. */
  readonly showsMissing?: boolean;
  readonly disabled?: boolean;
  /** The name of a schema that is no object; objects show the names of their properties. */
  readonly label?: string;
};

export function SchemaForm({ schema, value, onChange, showsMissing = false, disabled = false, label = "" }: Props) {
  const field = useMemo<Field>(() => fieldOf(schema), [schema]);
  const name = field.kind === "group" ? "" : label;
  return (
    <fieldset class="schema-form" disabled={disabled}>
      <SchemaField {...{ name, field, value, onChange, showsMissing }} isRequired />
    </fieldset>
  );
}
