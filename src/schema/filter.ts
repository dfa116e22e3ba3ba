import * as z from "zod";
import { FILTER_MAX_VALUES } from "../limits.ts";

const value = z.string().min(1).max(1_000);

/**
 * Which entries, in a body: the filters of a list under the same names, each a value or several of which any is enough.
 * Only its form is checked here; what each name takes is for who reads it as a list's parameters.
 */
export const filterSchema = z
  .record(z.string().max(100), z.union([value, z.array(value).min(1).max(FILTER_MAX_VALUES)]))
  .meta({
    description:
      'Filters of a list under the same names, `q` and exclusions as well: `{"actor": "u_17", "-action": ["user.*"]}`.',
  });
