/** Asks before something is done that cannot be undone. */
import { signal } from "@preact/signals";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { texts } from "./texts.ts";

type Question = { readonly title: string; readonly text: string; readonly action: string };

const open = signal<(Question & { readonly decide: (yes: boolean) => void }) | null>(null);

export function confirm(question: Question): Promise<boolean> {
  open.value?.decide(false);
  return new Promise((resolve) => {
    open.value = {
      ...question,
      decide(yes) {
        open.value = null;
        resolve(yes);
      },
    };
  });
}

export function ConfirmDialog() {
  const question = open.value;
  if (question === null) return null;
  return (
    <Dialog title={question.title} onClose={() => question.decide(false)}>
      <p>{question.text}</p>
      <div class="actions">
        <Button onClick={() => question.decide(false)}>{texts.keep}</Button>
        <Button look="danger" onClick={() => question.decide(true)}>
          {question.action}
        </Button>
      </div>
    </Dialog>
  );
}
