/** The pages, and below them theme, language and key: a column at the side, on phones a bar at the bottom. */
import {
  Activity,
  BookOpen,
  Inbox,
  Languages,
  LibraryBig,
  ListChecks,
  LogOut,
  MessageSquare,
  Monitor,
  Moon,
  Sun,
} from "lucide";
import { forgetKey } from "../state/connection.ts";
import { language, THEMES, theme } from "../state/preferences.ts";
import { linkTo, PAGES, type Page, route } from "../state/route.ts";
import { IconButton } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { texts } from "./texts.ts";
import { waitingCount } from "./waiting-count.ts";

const ICONS: Readonly<Record<Page, unknown>> = {
  chat: MessageSquare,
  inbox: Inbox,
  jobs: ListChecks,
  documents: LibraryBig,
  overview: Activity,
};

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon };

export function Navigation() {
  const { page: current } = route.value;
  return (
    <nav class="navigation" aria-label={texts.pages}>
      {PAGES.map((page) => (
        <a key={page} href={linkTo(page)} aria-current={page === current ? "page" : undefined}>
          <Icon of={ICONS[page]} size={20} />
          <span>{texts[page]}</span>
          {page === "inbox" && waitingCount.value > 0 && (
            <span class="count" role="img" aria-label={texts.waitingCount(waitingCount.value)}>
              {waitingCount.value}
            </span>
          )}
        </a>
      ))}
      <span class="space" />
      <div class="tools">
        <IconButton
          icon={THEME_ICONS[theme.value]}
          label={texts[theme.value]}
          onClick={() => {
            theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
          }}
        />
        <IconButton
          icon={Languages}
          label={texts.language}
          onClick={() => {
            language.value = language.value === "en" ? "zh" : "en";
          }}
        />
        <a
          class="icon-button"
          href="docs"
          target="_blank"
          aria-label={texts.reference}
          title={texts.reference}
          rel="noopener"
        >
          <Icon of={BookOpen} />
        </a>
        <IconButton icon={LogOut} label={texts.signOut} onClick={forgetKey} />
      </div>
    </nav>
  );
}
