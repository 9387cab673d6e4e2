/** The page: navigation, and the part that the address names. */
import { useEffect } from "preact/hooks";
import { ChatPage } from "./chat/chat-page.tsx";
import { DocumentsPage } from "./documents/documents-page.tsx";
import { InboxPage } from "./inbox/inbox-page.tsx";
import { JobsPage } from "./jobs/jobs-page.tsx";
import { OverviewPage } from "./overview/overview-page.tsx";
import { KeyDialog } from "./shell/key-dialog.tsx";
import { Navigation } from "./shell/navigation.tsx";
import { texts } from "./shell/texts.ts";
import { watchWaitingJobs } from "./shell/waiting-count.ts";
import { apiKey } from "./state/connection.ts";
import { type Page, route } from "./state/route.ts";
import { ConfirmDialog } from "./ui/confirm.tsx";
import { Notices } from "./ui/notices.tsx";

const CONTENT: Readonly<Record<Page, () => preact.JSX.Element>> = {
  chat: ChatPage,
  inbox: InboxPage,
  jobs: JobsPage,
  documents: DocumentsPage,
  overview: OverviewPage,
};

export function App() {
  useEffect(watchWaitingJobs, []);
  const { page } = route.value;
  const Content = CONTENT[page];
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById("content")?.focus()}>
        {texts.skip}
      </button>
      <Navigation />
      <main id="content" tabIndex={-1}>
        {/* Another key has other chats, jobs and documents. */}
        {apiKey.value !== null && <Content key={`${page} ${apiKey.value}`} />}
      </main>
      <KeyDialog />
      <ConfirmDialog />
      <Notices />
    </div>
  );
}
