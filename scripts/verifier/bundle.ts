import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { build } from "esbuild";

/** Bundles `indelible/verify`; without `outfile`, answers its text alone. As `iife` it is the global `indelible`. */
export async function bundleVerifier({
  format,
  outfile,
}: {
  format: "esm" | "iife";
  outfile?: string;
}): Promise<string> {
  const result = await build({
    entryPoints: ["src/verifier/index.ts"],
    bundle: true,
    minify: true,
    format,
    globalName: "indelible",
    // Neutral knows no platform: an import of one would fail here.
    platform: "neutral",
    target: "es2023",
    write: false,
    outfile: outfile ?? "verify.js",
  });
  const text = result.outputFiles[0]?.text ?? "";
  if (outfile !== undefined) {
    await mkdir(dirname(outfile), { recursive: true });
    await writeFile(outfile, text);
  }
  return text;
}
