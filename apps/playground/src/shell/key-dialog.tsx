/** Asks for the key: at the first visit, and when the platform refuses the one that is kept. */
import { useState } from "preact/hooks";
import { apiKey, isRefused, keepKey } from "../state/connection.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { texts } from "./texts.ts";

export function KeyDialog() {
  const [value, setValue] = useState("");
  const [isForDevice, setForDevice] = useState(false);
  if (apiKey.value !== null && !isRefused.value) return null;
  return (
    <Dialog title={texts.keyTitle}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          keepKey(value.trim(), isForDevice ? "device" : "tab");
        }}
      >
        <p class="muted">{texts.keyHint}</p>
        {isRefused.value && <p class="problem">{texts.keyRefused}</p>}
        <label class="field">
          <span class="name">{texts.keyField}</span>
          <input
            type="password"
            autocomplete="off"
            required
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isForDevice}
            onChange={(event) => setForDevice(event.currentTarget.checked)}
          />
          <span>
            {texts.keepOnDevice}
            <br />
            <span class="hint">{texts.keepOnDeviceHint}</span>
          </span>
        </label>
        <div class="actions">
          <Button type="submit" look="primary" disabled={value.trim() === ""}>
            {texts.open}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
