import { v7 } from "uuid";
import { z } from "zod";

/** Creates an id: a UUIDv7. Ids rise with their time of creation, so database indexes stay compact. */
export const newId = (): string => v7();

/** Every id on the wire is a UUID of any version, in its canonical text form. */
export const IdSchema = z.uuid();
