/** A question of an agent, answered by a text or in the form that its schema describes. */
import { useState } from "preact/hooks";
import { completed, fieldOf } from "../forms/field.ts";
import { isValid } from "../forms/problems.ts";
import { SchemaForm } from "../forms/schema-form.tsx";
import { Button } from "../ui/button.tsx";
import { takeFocus } from "../ui/take-focus.ts";
import type { PartProps } from "./decide.ts";
import { Rejection } from "./rejection.tsx";
import { texts } from "./texts.ts";

/** A question without a schema takes every JSON value; people answer with a text. */
const ANY_TEXT = { type: "string" };

export function Question({ inquiry, isBusy, decide }: PartProps<"input">) {
  const schema = inquiry.schema ?? ANY_TEXT;
  const [answer, setAnswer] = useState<unknown>();
  const [wasTried, setTried] = useState(false);
  /** Null: not yet. */
  const [isDeclining, setDeclining] = useState<boolean | null>(null);
  return (
    <>
      <p class="asked" dir="auto">
        {inquiry.question}
      </p>
      {isDeclining ? (
        <Rejection {...{ isBusy, decide }} action={texts.decline} onBack={() => setDeclining(false)} />
      ) : (
        <form
          class="stack"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            setTried(true);
            if (isValid(schema, answer)) decide({ decision: "answer", answer: completed(fieldOf(schema), answer) });
          }}
        >
          <SchemaForm
            schema={schema}
            value={answer}
            onChange={setAnswer}
            showsMissing={wasTried}
            disabled={isBusy}
            label={texts.answer}
          />
          <div class="actions">
            <Button
              ref={isDeclining === false ? takeFocus : null}
              look="danger"
              disabled={isBusy}
              onClick={() => setDeclining(true)}
            >
              {texts.decline}
            </Button>
            <Button type="submit" look="primary" disabled={isBusy}>
              {texts.send}
            </Button>
          </div>
        </form>
      )}
    </>
  );
}
