import { DatabaseSync, type SQLInputValue } from "node:sqlite";

/** A statement of D1 over a database file. */
class Statement {
  readonly #database: DatabaseSync;
  readonly #sql: string;
  readonly #values: SQLInputValue[];

  constructor(database: DatabaseSync, sql: string, values: SQLInputValue[] = []) {
    this.#database = database;
    this.#sql = sql;
    this.#values = values;
  }

  bind(...values: SQLInputValue[]): Statement {
    return new Statement(this.#database, this.#sql, values);
  }

  async all(): Promise<{ results: unknown[] }> {
    return { results: this.rows() };
  }

  rows(): unknown[] {
    const statement = this.#database.prepare(this.#sql);
    return statement.columns().length === 0 ? (statement.run(...this.#values), []) : statement.all(...this.#values);
  }
}

/**
 * A cell's own file, as much of a D1 database as projecting needs: the same statements in the same transactions, without
 * the way there. Only for a file that no workerd holds open.
 */
export class SqliteCell {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 120_000 });
    // Whoever fills it begins anew after a crash.
    this.#database.exec("pragma synchronous = off");
  }

  prepare(sql: string): Statement {
    return new Statement(this.#database, sql);
  }

  async batch(statements: readonly Statement[]): Promise<{ results: unknown[]; meta: object }[]> {
    this.#database.exec("begin immediate");
    try {
      const results = statements.map((statement) => ({
        results: statement.rows(),
        meta: { rows_written: 0, size_after: 0 },
      }));
      this.#database.exec("commit");
      return results;
    } catch (error) {
      this.#database.exec("rollback");
      throw error;
    }
  }

  /** As the functions of the store take it: they use nothing of D1 that is missing here. */
  asD1(): D1Database {
    return this as unknown as D1Database;
  }

  close(): void {
    this.#database.exec("pragma wal_checkpoint(truncate)");
    this.#database.close();
  }
}
