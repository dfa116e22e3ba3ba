import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fromBase64 } from "../../src/chain/encoding.ts";
import { parseNote, signatureLine } from "../../src/chain/note/note.ts";
import { formatVkey, type NoteKey, noteKey } from "../../src/chain/note/note-key.ts";
import { openCheckpoint } from "../../src/chain/note/open-checkpoint.ts";
import { cosignatureBytes, cosignedMessage } from "../../src/chain/note/open-note.ts";
import { type TreeHead, verifyConsistency } from "../../src/chain/proof/verify-consistency.ts";
import { ed25519Signer } from "../../src/ed25519.ts";
import { sha256 } from "../../src/sha256.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";

/** A request as it came, and what it was answered. */
type Asked = { old: number; size: number; proof: number; status: number };

/**
 * A witness of C2SP tlog-witness on loopback, with its rules: it cosigns a tree only when that grew, as proven, out of the
 * one it cosigned last. `answer`, when given, is asked first and may answer something else.
 */
export class TestWitness {
  readonly asked: Asked[] = [];
  readonly key: NoteKey;
  /** What it trusts: the key of each log it knows, by origin. */
  readonly logs = new Map<string, NoteKey>();
  readonly seen = new Map<string, TreeHead>();
  answer: ((response: ServerResponse) => boolean) | null = null;
  /** Whether it signs the whole note as one text. What it answers with makes a good note, but is no cosignature of the checkpoint. */
  signsWhole = false;
  readonly #signer;
  readonly #server = createServer((request, response) => {
    void this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(name: string, seed: number) {
    this.#signer = ed25519Signer(new Uint8Array(32).fill(seed));
    this.key = noteKey(sha256, { name, type: "cosignature", publicKey: this.#signer.publicKey });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** Its line in WITNESSES. */
  get line(): string {
    return `${formatVkey(this.key)} http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/submit/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const asked: Asked = { old: -1, size: -1, proof: -1, status: 0 };
    this.asked.push(asked);
    response.on("close", () => {
      asked.status = response.statusCode;
    });
    if (this.answer?.(response) === true) return;
    const end = (status: number, text = "", type = "text/plain") =>
      response.writeHead(status, { "content-type": type }).end(text);
    if (request.method !== "POST" || request.url !== "/submit/add-checkpoint") return void end(404);
    const split = body.indexOf("\n\n");
    const [first = "", ...proof] = body.slice(0, split).split("\n");
    const note = body.slice(split + 2);
    const origin = note.slice(0, note.indexOf("\n"));
    const trusted = this.logs.get(origin);
    if (trusted === undefined) return void end(404);
    const opened = await openCheckpoint(verifyEd25519, { note, origin, keys: [trusted] });
    if (!opened.ok) return void end(403);
    const { checkpoint } = opened;
    Object.assign(asked, { old: Number(first.slice("old ".length)), size: checkpoint.size, proof: proof.length });
    if (!/^old (0|[1-9]\d*)$/.test(first) || asked.old > checkpoint.size) return void end(400);
    const known = this.seen.get(origin);
    const conflict = () => end(409, `${known?.size ?? 0}\n`, "text/x.tlog.size");
    if (asked.old !== (known?.size ?? 0)) return void conflict();
    const hashes = proof.map((line) => fromBase64(line) ?? new Uint8Array(0));
    if (known?.size === checkpoint.size && !Buffer.from(known.root).equals(checkpoint.root)) return void conflict();
    const grew =
      known === undefined ? hashes.length === 0 : verifyConsistency(sha256, { from: known, to: checkpoint, hashes });
    if (!grew) return void end(422);
    this.seen.set(origin, checkpoint);
    end(200, this.signsWhole ? `\n${this.#cosign(note)}` : this.#cosign(note));
  }

  #cosign(note: string): string {
    const parsed = parseNote(note);
    if (!parsed.ok) throw new Error(parsed.why);
    const timestamp = Math.floor(Date.now() / 1_000);
    const text = this.signsWhole ? note : parsed.note.text;
    const signature = this.#signer.sign(cosignedMessage({ text, timestamp }));
    const { name, id } = this.key;
    return signatureLine({ name, id, signature: cosignatureBytes({ timestamp, signature }) });
  }
}
