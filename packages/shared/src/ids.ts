import { v7 } from "uuid";
import { z } from "zod";

/** A new id: UUIDv7, whose leading time keeps database indexes compact. */
export const newId = (): string => v7();

/** A UUID of any version in its canonical text form; the form of every id on the wire. */
export const IdSchema = z.uuid();
