import type { EntryFilter } from "../store/match.ts";

/**
 * The service's own entries of who stops reading and who withholds what. No quarantine covers them: who places one could
 * hide that, and all it does after.
 */
export const NEVER_WITHHELD: EntryFilter = [
  { field: "source", values: ["service"], exclude: false },
  { field: "action", values: ["indelible.quarantine.*", "indelible.reads.*"], exclude: false },
];
