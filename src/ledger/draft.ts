import type { SectionText } from "../chain/record.ts";
import { SALT_BYTES } from "../chain/digest.ts";
import { base64url } from "../chain/encoding.ts";
import { sealEntry } from "../chain/seal.ts";
import { assert } from "../errors.ts";
import { LOG_MAX_ENTRIES, STAGED_ROW_MAX_BYTES } from "../limits.ts";
import type { Category } from "../schema/names.ts";
import { keepUntil, type RetentionPolicy } from "../schema/policy.ts";
import { takeRandom } from "../random.ts";
import { sha256 } from "../sha256.ts";
import type { Head, State } from "./state.ts";

export type Sealing = {
  source: "client" | "service";
  category: Category;
  /** The client's own word, which can lengthen keeping. */
  sentCategory: Category | null;
  forever?: boolean;
  sections: SectionText[];
};

/** A sealed entry of a draft: `hash` is base64url. */
export type Sealed = { index: number; hash: string; hashBytes: Uint8Array };

type StagedRow = { first: number; lines: string[]; bytes: number; head: string };

/**
 * Entries sealed in memory on top of a head, and the rows that go with them. Nothing is written before `commit`, so
 * every refusal is decided while the draft can still be thrown away.
 */
export class Draft {
  readonly sequencedAt: number;
  readonly sequencedAtText: string;
  head: Head;
  readonly #log: string;
  /** As it stood before this draft: what changes it is kept by the one before. */
  readonly #policy: RetentionPolicy;
  readonly #rows: StagedRow[] = [];
  readonly #writes: ((sql: SqlStorage) => void)[] = [];
  readonly #told: (() => void)[] = [];

  constructor(state: State, now: number) {
    this.head = state.head;
    this.#log = state.org.log;
    this.#policy = state.org.settings.retention;
    this.sequencedAt = Math.max(now, state.head.sequencedAt);
    this.sequencedAtText = new Date(this.sequencedAt).toISOString();
  }

  seal({ source, category, sentCategory, forever = false, sections }: Sealing): Sealed {
    const index = this.head.size;
    assert(index < LOG_MAX_ENTRIES, "a log ends at 2^32 entries");
    const sealed = sealEntry(sha256, {
      log: this.#log,
      index,
      prev: this.head.prev,
      category,
      keep_until: forever ? "forever" : this.#keepUntil({ source, category, sentCategory }),
      sequenced_at: this.sequencedAtText,
      source,
      sections,
      salts: takeRandom(sections.length * SALT_BYTES),
    });
    this.#stage(index, sealed.line, sealed.prev);
    this.head = { size: index + 1, prev: sealed.prev, sequencedAt: this.sequencedAt };
    return { index, hash: sealed.prev, hashBytes: sealed.hash };
  }

  #keepUntil({ source, category, sentCategory }: Pick<Sealing, "source" | "category" | "sentCategory">): string {
    const decided = { decided: category, sent: sentCategory };
    return keepUntil({ sequencedAt: this.sequencedAt, ...decided, source, policy: this.#policy });
  }

  /** Adds a write that belongs to the same transaction. */
  write(write: (sql: SqlStorage) => void): void {
    this.#writes.push(write);
  }

  /** Adds what is to be done once the transaction is through: a draft may be thrown away, or planned again. */
  whenCommitted(tell: () => void): void {
    this.#told.push(tell);
  }

  tellCommitted(): void {
    for (const tell of this.#told) tell();
  }

  /** Writes everything; runs inside one `transactionSync`. Answers what was staged. */
  commit(sql: SqlStorage): { entries: number; bytes: number } {
    let entries = 0;
    let bytes = 0;
    for (const row of this.#rows) {
      assert(row.bytes <= STAGED_ROW_MAX_BYTES, "a staged row fits the platform's 2 MB");
      sql.exec(
        "insert into staged (first, count, bytes, head, sequenced_at, lines) values (?, ?, ?, ?, ?, ?)",
        row.first,
        row.lines.length,
        row.bytes,
        row.head,
        this.sequencedAt,
        row.lines.join("\n"),
      );
      entries += row.lines.length;
      bytes += row.bytes;
    }
    for (const write of this.#writes) write(sql);
    return { entries, bytes };
  }

  #stage(first: number, line: string, head: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    const row = this.#rows.at(-1);
    if (row === undefined || row.bytes + bytes > STAGED_ROW_MAX_BYTES) {
      this.#rows.push({ first, lines: [line], bytes, head });
      return;
    }
    row.lines.push(line);
    row.bytes += bytes;
    row.head = head;
  }
}

/** 32 bytes of entry hash as text. */
export function hashText(bytes: ArrayBuffer | Uint8Array): string {
  return base64url(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
}
