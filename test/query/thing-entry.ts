export const THING = { type: "doc", id: "d_1" };

/** An entry text of the API; `changes` is source text. */
export function entry(
  index: number,
  changes: string | null,
  { result = "success", targets = [THING], absent = [] as string[] }: any = {},
): string {
  const members = [
    `"action":"doc.edit","targets":${JSON.stringify(targets)},"outcome":{"result":"${result}"}`,
    ...(changes === null ? [] : [`"changes":${changes}`]),
    `"metadata":{"a":1,"a":2},"index":${index},"log":"log.test/1"`,
    `"absent":${JSON.stringify(absent.map((section: string) => ({ section, cause: "withheld" })))}`,
  ];
  return `{${members.join(",")}}`;
}
