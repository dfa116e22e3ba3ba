import { connect } from "node:net";

/** Says that a port is taken and what to do, or null when it is free. */
export async function portTaken(port: number): Promise<string | null> {
  const answers = await Promise.all([listens(port, "127.0.0.1"), listens(port, "::1")]);
  if (!answers.includes(true)) return null;
  return `port ${port} is taken by another program; end that one, or use another port: PORT=${port + 1} npm start`;
}

/** Asking by a connection finds a listener on any address; trying to listen would miss some. */
function listens(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const say = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => say(false));
    socket.once("connect", () => say(true));
    socket.once("error", () => say(false));
  });
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
