/** A query as a caller of the binding writes it: names of the HTTP API, with lists where those may be repeated. */
export type Query = Record<string, string | number | readonly (string | number)[]>;

/** The same as the HTTP API writes it. */
export function paramsOf(query: Query): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  return params;
}
