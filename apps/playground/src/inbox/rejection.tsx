/** A no, with a reason if there is one. */
import { useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { takeFocus } from "../ui/take-focus.ts";
import type { Decide } from "./decide.ts";
import { texts } from "./texts.ts";

type Props = {
  readonly isBusy: boolean;
  readonly action: string;
  readonly decide: Decide;
  onBack(): void;
};

export function Rejection({ isBusy, action, decide, onBack }: Props) {
  const [reason, setReason] = useState("");
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const said = reason.trim();
        decide({ decision: "reject", ...(said === "" ? {} : { reason: said }) });
      }}
    >
      <label class="field">
        <span class="name">{texts.reason}</span>
        <textarea
          ref={takeFocus}
          class="grows"
          rows={2}
          dir="auto"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <div class="actions">
        <Button look="plain" disabled={isBusy} onClick={onBack}>
          {texts.back}
        </Button>
        <Button type="submit" look="danger" disabled={isBusy}>
          {action}
        </Button>
      </div>
    </form>
  );
}
