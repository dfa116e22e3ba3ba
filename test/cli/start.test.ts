import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { portTaken } from "../../scripts/start/port.ts";
import { topUpSecrets } from "../../scripts/start/secrets.ts";
import { welcome } from "../../scripts/start/welcome.ts";
import { testTerminal } from "./support/run-cli.ts";

function directory() {
  const path = mkdtempSync(join(tmpdir(), "indelible-start-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it("writes fresh secrets that only the owner can read", async () => {
  const path = directory();
  expect(await topUpSecrets(path)).toEqual(["ROOT_KEY", "KEY_PEPPER", "INDEX_KEY", "LOG_SIGNING_KEY"]);
  const secrets = parseEnv(readFileSync(join(path, ".dev.vars"), "utf8"));
  expect(secrets["ROOT_KEY"]).toMatch(/^ind_root_[A-Za-z0-9_-]{43}$/);
  for (const name of ["KEY_PEPPER", "INDEX_KEY", "LOG_SIGNING_KEY"]) {
    expect(Buffer.from(String(secrets[name]), "base64")).toHaveLength(32);
  }
  expect(secrets["KEY_PEPPER"]).not.toBe(secrets["INDEX_KEY"]);
  expect(statSync(join(path, ".dev.vars")).mode & 0o777).toBe(0o600);
  expect(await topUpSecrets(path)).toEqual([]);
});

it("adds the names that are missing or empty and never overwrites", async () => {
  const path = directory();
  const mine = '# mine\nKEY_PEPPER="a # b"\nINDEX_KEY=\nOTHER=1';
  writeFileSync(join(path, ".dev.vars"), mine, { mode: 0o644 });
  expect(await topUpSecrets(path)).toEqual(["ROOT_KEY", "INDEX_KEY", "LOG_SIGNING_KEY"]);
  const text = readFileSync(join(path, ".dev.vars"), "utf8");
  expect(text.startsWith(`${mine}\n`)).toBe(true);
  expect(parseEnv(text)).toMatchObject({
    KEY_PEPPER: "a # b",
    OTHER: "1",
    INDEX_KEY: expect.stringMatching(/^.{44}$/),
    LOG_SIGNING_KEY: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
  });
  expect(statSync(join(path, ".dev.vars")).mode & 0o777).toBe(0o600);
});

it("says that the port is taken, and the remedy", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  expect(await portTaken(port)).toBe(
    `port ${port} is taken by another program; end that one, or use another port: PORT=${port + 1} npm start`,
  );
  await new Promise((resolve) => server.close(resolve));
  expect(await portTaken(port)).toBeNull();
});

it("prints commands that can be copied as they are", () => {
  const { said, terminal } = testTerminal();
  const text = welcome({ url: "http://localhost:8787", key: "ind_root_x", log: "service.log", sink: terminal.out });
  expect(said.out).toBe("");
  const commands = text.split("\n").filter((line) => line.startsWith("curl") || line.startsWith("export"));
  expect(commands[0]).toBe("export INDELIBLE_KEY=ind_root_x");
  expect(commands).toHaveLength(4);
});
