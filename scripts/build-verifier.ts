/** `npm run build`, second part: `indelible/verify` as one file for Node, browsers and Workers, and its types. */
import { spawnSync } from "node:child_process";
import { bundleVerifier } from "./verifier/bundle.ts";

await bundleVerifier({ format: "esm", outfile: "dist/verify.js" });
const types = [
  "--declaration",
  "--emitDeclarationOnly",
  "--noEmit",
  "false",
  "--rootDir",
  "src",
  "--outDir",
  "dist/verify",
];
const options = [
  "--target es2024 --lib es2024 --module esnext --moduleResolution bundler --strict --skipLibCheck",
  "--allowImportingTsExtensions --types @cloudflare/workers-types,node --ignoreConfig",
].flatMap((text) => text.split(" "));
const run = spawnSync(
  process.execPath,
  ["node_modules/typescript/bin/tsc", "src/verifier/index.ts", ...options, ...types],
  { stdio: "inherit" },
);
process.exit(run.status ?? 1);
