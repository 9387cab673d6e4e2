/** One field, or a group of them: its name, its control, and below it what it is for and what is wrong with it. */
import { useId } from "preact/hooks";
import { Control, NullCheck } from "./control.tsx";
import { asSchema, type Field, hasFields, mayBeEmpty } from "./field.ts";
import { problemOf } from "./problems.ts";
import { describeProblem, texts } from "./texts.ts";

export type FieldProps = {
  /** Empty for the whole form. */
  readonly name: string;
  readonly field: Field;
  readonly value: unknown;
  readonly isRequired: boolean;
  readonly showsMissing: boolean;
  onChange(value: unknown): void;
};

export function SchemaField({ name, field, value, isRequired, showsMissing, onChange }: FieldProps) {
  const id = useId();
  const problem = problemOf(field, value, isRequired);
  const problemText =
    problem === null || (problem.kind === "missing" && !showsMissing) ? null : describeProblem(problem);
  const { title, description } = field.schema;
  const label = typeof title === "string" ? title : name;
  if (field.kind === "group" && value !== null)
    return <Group {...{ name, field, value, isRequired, showsMissing, onChange }} />;
  return (
    <div class="field">
      {label !== "" && (
        <label class="name" for={id} dir="auto">
          {label}
          {isRequired && !mayBeEmpty(field) && <span class="required"> {texts.required}</span>}
        </label>
      )}
      <Control
        {...{ id, field, value, onChange }}
        label={label}
        isWrong={problemText !== null}
        describedBy={`${id}-hint ${id}-problem`}
      />
      <div class="hint" id={`${id}-hint`} dir="auto">
        {typeof description === "string" && description}{" "}
        {field.kind === "texts" && field.values === null && texts.lines}
      </div>
      <div class="problem" id={`${id}-problem`} aria-live="polite" dir="auto">
        {problemText}
      </div>
    </div>
  );
}

function Group({ name, field, value, isRequired, showsMissing, onChange }: FieldProps) {
  if (field.kind !== "group" || !(hasFields(field) || field.isNullable)) return null;
  const group = asSchema(value);
  const { title, description } = field.schema;
  const set = (property: string, inner: unknown) => {
    const { [property]: _, ...others } = group;
    const next = inner === undefined ? others : { ...others, [property]: inner };
    onChange(Object.keys(next).length === 0 ? undefined : next);
  };
  const fields = field.properties.map((property) => (
    <SchemaField
      key={property.name}
      {...property}
      value={group[property.name]}
      // What a group needs is needed once the group is there.
      isRequired={field.required.has(property.name) && (isRequired || value !== undefined)}
      showsMissing={showsMissing}
      onChange={(inner) => set(property.name, inner)}
    />
  ));
  if (name === "") return <>{fields}</>;
  return (
    <fieldset class="group">
      <legend dir="auto">{typeof title === "string" ? title : name}</legend>
      {typeof description === "string" && (
        <p class="hint" dir="auto">
          {description}
        </p>
      )}
      {field.isNullable && <NullCheck label={name} isNull={false} onChange={onChange} />}
      {fields}
    </fieldset>
  );
}
