/** What stands in the place of a list or page: loading, empty, failed. */
import { RotateCw, TriangleAlert } from "lucide";
import type { ComponentChildren } from "preact";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";
import { describeError } from "./notices.tsx";
import { texts } from "./texts.ts";
import type { Loaded } from "./use-load.ts";

export const Loading = () => (
  <div class="loading" role="status" aria-label={texts.loading}>
    <span />
    <span />
    <span />
  </div>
);

export const Empty = ({ icon, children }: { readonly icon: unknown; readonly children: ComponentChildren }) => (
  <div class="empty">
    <Icon of={icon} size={32} />
    <div>{children}</div>
  </div>
);

export const Failure = ({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) => (
  <div class="failure" role="alert">
    <Icon of={TriangleAlert} />
    <span>{describeError(error)}</span>
    {retry && (
      <Button icon={RotateCw} onClick={retry}>
        {texts.retry}
      </Button>
    )}
  </div>
);

/** The value once it is there. A failure is shown beside the last value. */
export function Await<Value>({
  of: { value, error, reload },
  children,
}: {
  readonly of: Loaded<Value>;
  readonly children: (value: Value) => ComponentChildren;
}) {
  return (
    <>
      {error !== null && <Failure error={error} retry={reload} />}
      {value === undefined ? error === null && <Loading /> : children(value)}
    </>
  );
}
