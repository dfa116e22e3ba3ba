import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { mapCloudTrail } from "../../src/cli/import/cloudtrail.ts";
import { eventOf, type Mapping } from "../../src/cli/import/mapping.ts";
import { readMapFile } from "../../src/cli/import/read-map-file.ts";
import { eventSchema } from "../../src/schema/event.ts";

type Members = Record<string, unknown>;
const idOf = (targets: unknown) => (targets as { id: string }[])[0]?.id ?? "";

function apply(mapping: Mapping, record: string) {
  const { event } = eventOf(mapping, { number: 1, line: 1, offset: 0, bytes: Buffer.from(record) });
  if (typeof event !== "string") return { refused: event, text: "", event: {} as Members };
  const parsed = JSON.parse(event) as Members;
  eventSchema.parse(parsed);
  return { refused: null, text: event, event: parsed };
}

const cloudtrail: Mapping = { name: "cloudtrail", listPath: ["Records"], map: mapCloudTrail };
const trail = (more: Record<string, unknown> = {}) => ({
  eventSource: "ec2.amazonaws.com",
  eventName: "RunInstances",
  eventTime: "2026-11-21T17:59:58Z",
  eventID: "e-1",
  ...more,
});
const fromTrail = (more: Record<string, unknown> = {}) => apply(cloudtrail, JSON.stringify(trail(more)));

describe("the preset cloudtrail", () => {
  it("maps what people search for, and keeps the record", () => {
    const record = `{"userIdentity":{"type":"AssumedRole","principalId":"A:s","arn":"arn:aws:sts::1:assumed-role/Admin/jane","accessKeyId":"ASIA"},"eventSource":"kms.amazonaws.com","eventName":"Decrypt","eventTime":"2026-11-21T17:59:58Z","eventID":"e-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli","requestID":"r-1","awsRegion":"eu-west-1","resources":[{"type":"AWS::KMS::Key","ARN":"arn:aws:kms:k"},{"accountId":"1"}],"n":1.10}`;
    const { event, text } = apply(cloudtrail, record);
    expect(text.endsWith(`,"metadata":${record}}`)).toBe(true);
    const { metadata: _, ...rest } = event;
    expect(rest).toEqual({
      id: "e-1",
      action: "kms.Decrypt",
      category: "general",
      occurred_at: "2026-11-21T17:59:58Z",
      actor: { type: "AssumedRole", id: "arn:aws:sts::1:assumed-role/Admin/jane", name: "Admin/jane" },
      targets: [{ type: "AWS::KMS::Key", id: "arn:aws:kms:k" }],
      outcome: { result: "success" },
      context: { ip: "192.0.2.1", user_agent: "aws-cli", session_id: "ASIA", request_id: "r-1", location: "eu-west-1" },
    });
  });

  it("tells denied from failed", () => {
    const result = (more: Record<string, unknown>) => fromTrail(more).event["outcome"];
    expect(result({ errorCode: "AccessDeniedException", errorMessage: "no" })).toEqual({
      result: "denied",
      error_code: "AccessDeniedException",
      error_message: "no",
    });
    expect(result({ errorCode: "Client.UnauthorizedOperation" })).toMatchObject({ result: "denied" });
    expect(result({ errorCode: "NoSuchBucket" })).toMatchObject({ result: "failure" });
    expect(result({ errorMessage: "Failed authentication" })).toMatchObject({ result: "failure" });
    expect(result({ responseElements: { ConsoleLogin: "Failure" } })).toMatchObject({ result: "failure" });
    expect(result({ errorCode: "", responseElements: null })).toEqual({ result: "success" });
  });

  it("chooses the category", () => {
    const category = (more: Record<string, unknown>) => fromTrail(more).event["category"];
    expect(category({ eventSource: "signin.amazonaws.com", eventName: "ConsoleLogin", readOnly: false })).toBe("login");
    expect(category({ readOnly: false, managementEvent: true })).toBe("config_change");
    expect(category({ readOnly: true })).toBe("general");
    expect(category({ eventSource: "cloudtrail.amazonaws.com", eventName: "LookupEvents", readOnly: true })).toBe(
      "log_access",
    );
    expect(category({ eventSource: "cloudtrail.amazonaws.com", eventName: "StopLogging", readOnly: false })).toBe(
      "config_change",
    );
    expect(category({ eventSource: "iam.amazonaws.com", eventName: "CreateUser", readOnly: false })).toBe(
      "user_management",
    );
    expect(category({ eventSource: "iam.amazonaws.com", eventName: "CreatePolicy", readOnly: false })).toBe(
      "config_change",
    );
    expect(
      category({ eventSource: "s3.amazonaws.com", eventName: "PutObject", readOnly: false, eventCategory: "Data" }),
    ).toBe("data_modification");
    expect(category({})).toBe("general");
  });

  it("finds somebody who acted, whatever the identity says", () => {
    const actor = (userIdentity: unknown) => fromTrail({ userIdentity }).event["actor"];
    expect(actor({ type: "AWSService", invokedBy: "health.amazonaws.com" })).toEqual({
      type: "AWSService",
      id: "health.amazonaws.com",
    });
    expect(actor({ accountId: "1", invokedBy: "x" })).toEqual({ type: "AWSService", id: "1" });
    expect(actor({ type: "Unknown" })).toEqual({ type: "Unknown", id: "unknown" });
    expect(actor(null)).toEqual({ type: "Unknown", id: "unknown" });
    expect(actor("text")).toEqual({ type: "Unknown", id: "unknown" });
  });

  it("makes ids that fit, the same every time", () => {
    const hashed = /^sha256-[A-Za-z0-9_-]{43}$/;
    expect(fromTrail({ eventID: undefined }).event["id"]).toMatch(hashed);
    expect(fromTrail({ eventID: undefined }).event["id"]).toBe(fromTrail({ eventID: undefined }).event["id"]);
    expect(fromTrail({ eventID: "12345" }).event["id"]).toMatch(hashed);
    expect(fromTrail({ eventID: "a b" }).event["id"]).toBe(fromTrail({ eventID: "a b", x: 1 }).event["id"]);
    const long = `arn:aws:s3:::${"k".repeat(600)}`;
    const shortened = (ARN: string) => idOf(fromTrail({ resources: [{ ARN }] }).event["targets"]);
    const [one, other] = [shortened(long), shortened(`${long}x`)];
    expect(one).not.toBe(other);
    expect(one.length).toBeLessThanOrEqual(200);
    expect(one.startsWith(long.slice(0, 140))).toBe(true);
  });

  it("leaves out what is no address, and targets past the fiftieth", () => {
    expect(fromTrail({ sourceIPAddress: "AWS Internal" }).event["context"]).toBeUndefined();
    expect(fromTrail({ sourceIPAddress: "2001:db8::1" }).event["context"]).toEqual({ ip: "2001:db8::1" });
    expect(
      fromTrail({ resources: Array.from({ length: 70 }, (_, n) => ({ ARN: `a${n}` })) }).event["targets"],
    ).toHaveLength(50);
    expect(fromTrail({ resources: [] }).event["targets"]).toEqual([{ type: "aws_service", id: "ec2.amazonaws.com" }]);
  });
});

async function mapOf(map: unknown) {
  const directory = mkdtempSync(join(tmpdir(), "indelible-map-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "map.json");
  writeFileSync(path, typeof map === "string" ? map : JSON.stringify(map));
  return readMapFile(path);
}

const LEAST = { action: { const: "x.y" }, actor: { type: { const: "user" }, id: "/u" } };

async function mapped(map: Record<string, unknown>, record: string) {
  const read = await mapOf({ ...LEAST, ...map });
  if (!read.ok) throw new Error(read.failure.what);
  return apply(read.value, record);
}

describe("a map of one's own", () => {
  it("takes pointers, constants, alternatives, joined texts, tables and times", async () => {
    const { event, text } = await mapped(
      {
        id: { concat: ["/id", { const: "." }, "/stage"] },
        action: { concat: ["/res", { const: "." }, "/verb"] },
        category: { lookup: "/verb", table: { get: "general" }, else: "config_change" },
        occurred_at: { epoch: "/ts" },
        version: "/v",
        actor: { type: { const: "user" }, id: { first: ["/none", "/u"] }, name: "/a~1b", metadata: "/m" },
        targets: [
          { type: "/res", id: "/name", role: { const: "subject" } },
          { type: "/res", id: "/none" },
        ],
        outcome: { result: { lookup: "/code", table: { "403": "denied" }, else: "success" }, error_code: "/code" },
        context: { ip: "/none", request_id: "/flag" },
        changes: { before: "/m/old", after: { const: { z: [1] } }, fields: ["/name", "/none"] },
        reason: "/empty",
        metadata: "",
      },
      '{"id":"e1","stage":"done","res":"pods","verb":"delete","ts":1674844088.129781,"v":2,"u":9007199254740993,"a/b":"Ü","m":{"old":1.10,"n":[ 1, 2 ]},"name":"n","code":403,"flag":true,"empty":""}',
    );
    const { metadata, ...rest } = event;
    expect(metadata).toBeTypeOf("object");
    expect(text).toContain('"before":1.10,"after":{"z":[1]}');
    expect(text).toContain('"metadata":{"old":1.10,"n":[ 1, 2 ]}');
    expect(rest).toEqual({
      id: "e1.done",
      action: "pods.delete",
      category: "config_change",
      occurred_at: "2023-01-27T18:28:08.129781Z",
      version: 2,
      actor: { type: "user", id: "9007199254740993", name: "Ü", metadata: { old: 1.1, n: [1, 2] } },
      targets: [{ type: "pods", id: "n", role: "subject" }],
      outcome: { result: "denied", error_code: "403" },
      context: { request_id: "true" },
      changes: { before: 1.1, after: { z: [1] }, fields: ["n"] },
    });
  });

  it("makes an id of the record where none is given", async () => {
    const one = await mapped({}, '{"u":"a"}');
    expect(one.event["id"]).toMatch(/^sha256-/);
    expect((await mapped({ id: "/none" }, '{"u":"a"}')).event["id"]).toBe(one.event["id"]);
    expect((await mapped({}, '{"u":"b"}')).event["id"]).not.toBe(one.event["id"]);
  });

  it("refuses a record by what is missing or of the wrong kind", async () => {
    expect((await mapped({}, "{}")).refused).toMatchObject({ reason: 'actor.id: nothing found by "/u"' });
    expect((await mapped({}, '{"u":{}}')).refused).toMatchObject({
      pointer: "/u",
      reason: expect.stringMatching(/list or an object/),
    });
    expect((await mapped({ occurred_at: "/t" }, '{"u":"a","t":"yesterday"}')).refused).toMatchObject({
      reason: expect.stringMatching(/RFC 3339/),
    });
    expect((await mapped({ occurred_at: { epoch: "/t" } }, '{"u":"a","t":1674844088129781}')).refused).toMatchObject({
      pointer: "/t",
    });
    expect((await mapped({ version: "/v" }, '{"u":"a","v":1.5}')).refused).toMatchObject({
      reason: expect.stringMatching(/^version/),
    });
    expect((await mapped({}, '{"__proto__":{"u":"a"},"constructor":1}')).refused).not.toBeNull();
  });

  it("names each fault of the map by pointer", async () => {
    const faults = async (map: unknown) => {
      const read = await mapOf(map);
      return read.ok ? "" : read.failure.what;
    };
    expect(await faults("{")).toMatch(/is not JSON/);
    expect(await faults({ ...LEAST, action: "user" })).toMatch(/\/action must be a JSON pointer/);
    expect(await faults({ actor: LEAST.actor })).toMatch(/\/action/);
    expect(await faults({ ...LEAST, contxt: {} })).toMatch(/\/contxt is not a member/);
    expect(await faults({ ...LEAST, actor: { ...LEAST.actor, phone: "/p" } })).toMatch(
      /\/actor\/phone is not a member/,
    );
    expect(await faults({ ...LEAST, targets: [{ type: "/t", id: { first: [] } }] })).toMatch(/\/targets\/0\/id/);
    expect(await faults({ ...LEAST, records: "" })).toMatch(/\/records must name a member/);
    expect(await faults({ ...LEAST, metadata: "x" })).toMatch(/\/metadata must be a JSON pointer/);
  });
});
