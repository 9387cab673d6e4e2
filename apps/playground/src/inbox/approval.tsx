/** A tool call that a person approves, rejects, or approves with other arguments. */
import { Check, Pencil, X } from "lucide";
import { useState } from "preact/hooks";
import { readJson, Unreadable, writeVisibly } from "../forms/draft.ts";
import { isSame } from "../forms/problems.ts";
import { texts as formTexts } from "../forms/texts.ts";
import { Button } from "../ui/button.tsx";
import { takeFocus } from "../ui/take-focus.ts";
import type { PartProps } from "./decide.ts";
import { Rejection } from "./rejection.tsx";
import { texts } from "./texts.ts";

type Mode = "look" | "edit" | "reject";

type Step = { readonly mode: Mode; readonly from: Mode | null };

export function Approval({ inquiry, isBusy, decide }: PartProps<"approval">) {
  const [{ mode, from }, setStep] = useState<Step>({ mode: "look", from: null });
  const setMode = (next: Mode) => setStep({ mode: next, from: mode });
  const written = writeVisibly(inquiry.arguments ?? {});
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
          ref={mode === "edit" ? takeFocus : null}
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
            <Button
              ref={from === "reject" ? takeFocus : null}
              look="danger"
              icon={X}
              disabled={isBusy}
              onClick={() => setMode("reject")}
            >
              {texts.reject}
            </Button>
            <Button
              ref={from === "edit" ? takeFocus : null}
              icon={Pencil}
              disabled={isBusy}
              onClick={() => setMode("edit")}
            >
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
  if (read instanceof Unreadable) return read.isInexact ? formTexts.not_exact : formTexts.not_json;
  return typeof read === "object" && read !== null && !Array.isArray(read) ? null : texts.notAnObject;
}
