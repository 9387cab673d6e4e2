/** The languages of status texts. The first one is the default for clients that ask for none of them. */
import { z } from "zod";

export const LOCALES = ["zh", "en"] as const;
export const LocaleSchema = z.enum(LOCALES);
export type Locale = z.infer<typeof LocaleSchema>;
