/** A connection to the inspector of one isolate of workerd. */
export type Inspected = { call: (method: string, params?: object) => Promise<any>; close: () => void };

/** Connects to an isolate, named as workerd's inspector names it. */
export async function inspect(inspector: string, isolate: string): Promise<Inspected> {
  const socket = new WebSocket(inspector + isolate);
  const waiting = new Map<number, (message: { result: unknown }) => void>();
  let calls = 0;
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; result: unknown };
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`no inspector for ${isolate}`)));
  });
  return {
    call: (method, params = {}) => {
      const id = ++calls;
      socket.send(JSON.stringify({ id, method, params }));
      return new Promise((resolve) => waiting.set(id, ({ result }) => resolve(result)));
    },
    close: () => socket.close(),
  };
}

/** The Worker under test, as the inspector names it. */
export const WORKER_ISOLATE = "core:user:indelible";
