import { hex } from "../chain/encoding.ts";
import type { ExportManifest, ExportPart } from "../chain/export-manifest.ts";
import type { Sha256 } from "../chain/sha256.ts";

/**
 * What is wrong with the file of an export. `part_changed`: these bytes are not the ones the manifest names; `part_missing`:
 * there are fewer; `manifest_wrong`: they are, and are not what the manifest says of them.
 */
export type ExportFault = {
  kind: "part_changed" | "part_missing" | "manifest_wrong";
  part: string | null;
  detail: string;
};

const LINE_END = 0x0a;

/** Compares the bytes of an export, one part after another, with what its manifest says. It holds one part. */
export class ExportParts {
  readonly faults: ExportFault[] = [];
  readonly #sha256: Sha256;
  readonly #manifest: ExportManifest;
  #next = 0;
  #held = new Uint8Array(0);
  #bytes = 0;
  #beyond = 0;

  constructor(sha256: Sha256, manifest: ExportManifest) {
    this.#sha256 = sha256;
    this.#manifest = manifest;
  }

  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) {
      const part = this.#manifest.parts[this.#next];
      if (part === undefined) {
        this.#beyond += rest.length;
        return;
      }
      if (this.#bytes === 0) this.#held = new Uint8Array(part.bytes);
      const some = rest.subarray(0, part.bytes - this.#bytes);
      this.#held.set(some, this.#bytes);
      this.#bytes += some.length;
      rest = rest.subarray(some.length);
      if (this.#bytes === part.bytes) this.#settle(part);
    }
  }

  /** After the last byte. */
  end(): void {
    const part = this.#manifest.parts[this.#next];
    if (part !== undefined && part.bytes > 0) {
      const what = this.#bytes === 0 ? "is not there" : `ends after ${this.#bytes} of its ${part.bytes} bytes`;
      const left = this.#manifest.parts.length - this.#next - 1;
      const detail = `${part.name} ${what}${left === 0 ? "" : `, and none of the ${left} after it is there`}.`;
      this.faults.push({ kind: "part_missing", part: part.name, detail });
    }
    if (this.#beyond > 0) {
      const detail = `${this.#beyond} bytes follow the last part.`;
      this.faults.push({ kind: "part_changed", part: null, detail });
    }
  }

  #settle(part: ExportPart): void {
    const bytes = this.#held;
    this.#bytes = 0;
    this.#next++;
    if (hex(this.#sha256(bytes)) !== part.sha256) {
      const detail = `The bytes of ${part.name} are not the ones that the manifest names.`;
      this.faults.push({ kind: "part_changed", part: part.name, detail });
    } else if (this.#manifest.format === "ndjson" && linesIn(bytes) !== part.rows) {
      const detail = `${part.name} has ${linesIn(bytes)} lines, the manifest says ${part.rows}.`;
      this.faults.push({ kind: "manifest_wrong", part: part.name, detail });
    }
  }
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) lines++;
  return lines;
}
