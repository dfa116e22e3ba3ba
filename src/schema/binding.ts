import * as z from "zod";
import { scopeSchema } from "./caller.ts";
import { labelSchema, orgSchema } from "./names.ts";

/** What a service binding may do, set in the calling Worker's configuration by who deploys it. */
export const bindingPropsSchema = z.strictObject({
  name: labelSchema,
  orgs: z.union([z.literal("*"), z.array(orgSchema)]),
  scopes: z.array(scopeSchema),
});
export type BindingProps = z.infer<typeof bindingPropsSchema>;
