import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./src/store/directory-tables.ts",
  out: "./migrations/directory",
});
