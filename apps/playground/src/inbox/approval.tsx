/** A tool call that a person approves, rejects, or approves with other arguments. */
import { Check, Pencil, X } from "lucide";
import { useState } from "preact/hooks";
import { readJson, Unreadable } from "../forms/draft.ts";
import { isSame } from "../forms/problems.ts";
import { texts as formTexts } from "../forms/texts.ts";
import { Button } from "../ui/button.tsx";
import type { PartProps } from "./decide.ts";
import { Rejection } from "./rejection.tsx";
import { texts } from "./texts.ts";

type Mode = "look" | "edit" | "reject";

export function Approval({ inquiry, isBusy, decide }: PartProps<"approval">) {
  const [mode, setMode] = useState<Mode>("look");
  const written = JSON.stringify(inquiry.arguments ?? {}, null, 2);
  const [draft, setDraft] = useState(written);
  const problem = problemOf(draft);
  const approve = () => {
    if (mode === "look") return decide({ decision: "approve" });
    const edited = JSON.parse(draft);
    decide(isSame(edited, inquiry.arguments) ? { decision: "approve" } : { decision: "edit", arguments: edited });
  };
  if (mode === "reject")
    return <Rejection {...{ isBusy, decide }} action={texts.reject} onBack={() => setMode("look")} />;
  return (
    <>
      <label class="field">
        <span class="visually-hidden">{texts.arguments}</span>
        <textarea
          class="code grows"
          readOnly={mode === "look"}
          spellcheck={false}
          value={mode === "look" ? written : draft}
          aria-invalid={mode === "edit" && problem !== null}
          onInput={(event) => setDraft(event.currentTarget.value)}
        />
        <span class="problem" aria-live="polite">
          {mode === "edit" && problem}
        </span>
      </label>
      <div class="actions">
        {mode === "edit" ? (
          <Button look="plain" disabled={isBusy} onClick={() => setMode("look")}>
            {texts.back}
          </Button>
        ) : (
          <>
            <Button look="danger" icon={X} disabled={isBusy} onClick={() => setMode("reject")}>
              {texts.reject}
            </Button>
            <Button icon={Pencil} disabled={isBusy} onClick={() => setMode("edit")}>
              {texts.edit}
            </Button>
          </>
        )}
        <Button
          look="primary"
          icon={Check}
          disabled={isBusy || (mode === "edit" && problem !== null)}
          onClick={approve}
        >
          {mode === "edit" ? texts.approveEdited : texts.approve}
        </Button>
      </div>
    </>
  );
}

function problemOf(draft: string): string | null {
  const read = readJson(draft);
  if (read instanceof Unreadable) return formTexts.not_json;
  return typeof read === "object" && read !== null && !Array.isArray(read) ? null : texts.notAnObject;
}
