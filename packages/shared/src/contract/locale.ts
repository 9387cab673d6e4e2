/** The languages of status texts. A client that asks for none of them gets that of its message. */
import { z } from "zod";

export const LOCALES = ["zh", "en"] as const;
export const LocaleSchema = z.enum(LOCALES);
export type Locale = z.infer<typeof LocaleSchema>;
