/** The languages of status texts, in the order of preference when a client names none. */
import { z } from "zod";

export const LOCALES = ["zh", "en"] as const;
export const LocaleSchema = z.enum(LOCALES);
export type Locale = z.infer<typeof LocaleSchema>;
