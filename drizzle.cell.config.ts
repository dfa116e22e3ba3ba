import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./src/store/cell-tables.ts",
  out: "./migrations/cell",
});
