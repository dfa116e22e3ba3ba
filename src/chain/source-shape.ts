/**
 * What is known of a value's structure before it is read. `plain`: any value with no free value inside, whose depth and
 * names are checked. `free`: kept as its source text. An object that is `root` counts depth anew, itself being level 1.
 */
export type Shape =
  | { kind: "plain" }
  | { kind: "free" }
  | { kind: "object"; members: ReadonlyMap<string, Shape>; root?: true }
  | { kind: "array"; items: Shape };

const FREE: Shape = { kind: "free" };

/** The text of a `…/detail` section: its metadata is free. */
export const DETAIL_SHAPE: Shape = { kind: "object", members: new Map([["metadata", FREE]]) };

/** The text of a `changes` section: what was before and after is free. */
export const CHANGES_SHAPE: Shape = {
  kind: "object",
  members: new Map([
    ["before", FREE],
    ["after", FREE],
  ]),
};

/** An event as submitted. */
export const EVENT_SHAPE: Shape = {
  kind: "object",
  root: true,
  members: new Map<string, Shape>([
    ["metadata", FREE],
    ["actor", DETAIL_SHAPE],
    ["on_behalf_of", DETAIL_SHAPE],
    ["targets", { kind: "array", items: DETAIL_SHAPE }],
    ["changes", CHANGES_SHAPE],
  ]),
};
