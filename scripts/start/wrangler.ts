import { join } from "node:path";

/** Where Workers on this machine find each other: apart from those of other projects. */
function registryPath(state: string): string {
  return join(state, "registry");
}

/** The environment wrangler runs in: silent, offline, and found only by our own Workers. */
export function wranglerEnv(state: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_REGISTRY_PATH: registryPath(state),
    NO_COLOR: "1",
    FORCE_COLOR: "0",
  };
}
