import { expect, it } from "vitest";
import { storyOf } from "../../scripts/demo/story.ts";
import { eventSchema } from "../../src/schema/event.ts";

it("tells the same story every time, and another one for another org", () => {
  const told = storyOf("northwind", { events: 300, people: 16 });
  expect(storyOf("northwind", { events: 300, people: 16 })).toEqual(told);
  expect(storyOf("initech", { events: 300, people: 16 })[0]?.text).not.toBe(told[0]?.text);
});

it("is made of valid events, with everything a log meets", () => {
  const told = storyOf("northwind", { events: 2600, people: 16 });
  const events = told.map(({ text }) => eventSchema.parse(JSON.parse(text)));
  expect(new Set(told.map(({ id }) => id)).size).toBe(2600);
  expect(events.filter((event) => event.on_behalf_of !== undefined).length).toBeGreaterThan(20);
  expect(events.filter((event) => event.outcome?.result === "failure").length).toBeGreaterThan(20);
  expect(events.filter((event) => event.outcome?.result === "denied").length).toBeGreaterThan(20);
  expect(new Set(events.map((event) => event.category)).size).toBe(7);
  expect(told.some(({ text }) => /"view_id":\d{19}/.test(text))).toBe(true);
  const times = events.map((event) => String(event.occurred_at));
  expect(times).toEqual(times.toSorted());
});
