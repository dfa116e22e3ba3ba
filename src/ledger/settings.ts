import type { OrgSettings, SettingsPatch } from "../schema/ledger.ts";
import { orgAct } from "./create.ts";
import type { Planning } from "./sequencer.ts";
import { sealAct } from "./service-entry.ts";
import type { State } from "./state.ts";

/**
 * Changes what a patch names of an org's settings and seals the act; nothing when nothing changes. Merged with what will
 * stand after the plans before it, so that of two changes at once none is lost.
 */
export function planSettings(
  planning: Planning,
  { state, by, patch }: { state: State; by: string; patch: SettingsPatch },
): OrgSettings {
  const { draft, now } = planning;
  const settings = { ...planning.settings, ...patch };
  const text = JSON.stringify(settings);
  if (text === JSON.stringify(planning.settings)) return settings;
  planning.settings = settings;
  sealAct(draft, orgAct("indelible.org.updated", state.org.org, { by, settings }), now);
  draft.write((sql) => sql.exec("update org set settings = ?", text));
  draft.whenCommitted(() => {
    state.org = { ...state.org, settings };
  });
  return settings;
}
