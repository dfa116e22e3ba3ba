import { connect, type Socket } from "node:net";

/** `body` is a copy only when the answer was refused: good answers are counted, not read. */
export type Answer = { status: number; body: string | null };

const END_OF_HEAD = Buffer.from("\r\n\r\n");
const END_OF_CHUNKS = Buffer.from("0\r\n\r\n");

/**
 * One HTTP/1.1 connection that is kept alive, with one request under way at a time. It reads no more of an answer than its
 * status and length: a client that parsed everything would be the bottleneck.
 */
export class Connection {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.on("error", (error) => this.#waiting?.reject(error));
    this.#socket.on("close", () => this.#waiting?.reject(new Error("the connection was closed")));
  }

  request(bytes: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const answer = readAnswer(this.#held);
    if (answer === null) return;
    this.#held = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(answer);
  }
}

/** A whole answer, or null while some of it is missing. */
function readAnswer(held: Buffer): Answer | null {
  const end = held.indexOf(END_OF_HEAD);
  if (end === -1) return null;
  const status = Number(held.toString("latin1", 9, 12));
  const head = held.toString("latin1", 0, end).toLowerCase();
  const body = end + END_OF_HEAD.length;
  if (head.includes("transfer-encoding: chunked")) {
    if (!held.subarray(-END_OF_CHUNKS.length).equals(END_OF_CHUNKS)) return null;
  } else {
    const at = head.indexOf("content-length: ");
    const length = at === -1 ? 0 : Number.parseInt(head.slice(at + 16), 10);
    if (held.length < body + length) return null;
  }
  return { status, body: status < 300 ? null : held.toString("utf8", body) };
}
