/**
 * Counts what was ever placed or released: whoever decided something by the holds that stood says by which version, and is refused once
 * there is a newer one.
 */
export function loadHoldsVersion(sql: SqlStorage): number {
  return sql.exec<{ version: number }>("select version from holds_version").toArray()[0]?.version ?? 0;
}
