import type { Act } from "../schema/act.ts";

/** That somebody wanted entries to go before their day is over. */
export function refusedRunAct({ by, day, today }: { by: string; day: string; today: string }): Act {
  return {
    action: "indelible.retention.refused",
    category: "config_change",
    actor: { type: "key", id: by },
    key: by,
    metadata: { as_of: day, today },
  };
}
