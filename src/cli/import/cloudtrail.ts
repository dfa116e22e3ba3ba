import { isIP } from "node:net";
import { EVENT_MAX_TARGETS } from "../../limits.ts";
import type { Category } from "../../schema/names.ts";
import { eventId, subjectId } from "./event-id.ts";
import { type Part, sent, SourceText } from "./event-text.ts";
import type { Mapped } from "./mapping.ts";

type Members = Record<string, unknown>;

/** One CloudTrail record as an event. The whole record, character for character, is its metadata. */
export function mapCloudTrail(text: string, value: unknown): Mapped {
  if (!isMembers(value)) return { ok: false, reason: "a CloudTrail record is a JSON object" };
  const service = string(value["eventSource"])?.replace(/\.amazonaws\.com(\.cn)?$/, "");
  const name = string(value["eventName"]);
  const missing = service === undefined ? "eventSource" : name === undefined ? "eventName" : null;
  if (missing !== null || service === undefined || name === undefined) {
    return { ok: false, reason: `it has no ${missing}: is it a CloudTrail record?`, pointer: `/${missing}` };
  }
  const identity = members(value["userIdentity"]);
  const behalf = string(members(identity["onBehalfOf"])["userId"]);
  return {
    ok: true,
    event: {
      id: eventId(string(value["eventID"]), text),
      action: `${service}.${name}`,
      category: categoryOf(service, name, value),
      occurred_at: string(value["eventTime"]),
      actor: actorOf(identity),
      on_behalf_of: behalf === undefined ? undefined : { type: "IdentityCenterUser", id: subjectId(behalf) },
      targets: targetsOf(value, string(value["eventSource"]) ?? service),
      outcome: outcomeOf(value),
      context: contextOf(value, identity),
      metadata: new SourceText(text),
    },
  };
}

function actorOf(identity: Members): Part {
  const invokedBy = string(identity["invokedBy"]);
  const arn = string(identity["arn"]);
  const id = arn ?? string(identity["principalId"]) ?? string(identity["userName"]) ?? string(identity["accountId"]);
  const issuer = members(members(identity["sessionContext"])["sessionIssuer"]);
  return {
    type: string(identity["type"]) ?? (invokedBy === undefined ? "Unknown" : "AWSService"),
    id: subjectId(id ?? invokedBy ?? "unknown"),
    // An assumed role has no user name: "role/session" is what people call it.
    name: string(identity["userName"]) ?? arn?.split(":assumed-role/")[1] ?? string(issuer["userName"]),
  };
}

function targetsOf(record: Members, source: string): Part[] {
  const resources: unknown[] = Array.isArray(record["resources"]) ? record["resources"] : [];
  const targets: Part[] = [];
  for (const resource of resources) {
    const id = string(members(resource)["ARN"]) ?? string(members(resource)["ARNPrefix"]);
    if (id === undefined || targets.length === EVENT_MAX_TARGETS) continue;
    targets.push({ type: string(members(resource)["type"]) ?? "aws_resource", id: subjectId(id) });
  }
  return targets.length > 0 ? targets : [{ type: "aws_service", id: subjectId(source) }];
}

function outcomeOf(record: Members): Part {
  const code = string(record["errorCode"]);
  const message = string(record["errorMessage"]);
  const signIn = string(members(record["responseElements"])["ConsoleLogin"]);
  // EC2 writes its codes as Client.UnauthorizedOperation.
  const denied = /^((Client|Server)\.)?(AccessDenied|Unauthorized)/.test(code ?? "");
  const failed = code !== undefined || message !== undefined || signIn === "Failure";
  return { result: denied ? "denied" : failed ? "failure" : "success", error_code: code, error_message: message };
}

function contextOf(record: Members, identity: Members): Part | undefined {
  const from = string(record["sourceIPAddress"]);
  return sent({
    // Calls that AWS makes itself carry a service's name here; the record keeps it.
    ip: from !== undefined && isIP(from) !== 0 ? from : undefined,
    user_agent: string(record["userAgent"]),
    session_id: string(identity["accessKeyId"]),
    request_id: string(record["requestID"]),
    location: string(record["awsRegion"]),
  });
}

const IDENTITY_SERVICES: ReadonlySet<string> = new Set(["identitystore", "sso-directory", "cognito-idp"]);
const LOG_SERVICES: ReadonlySet<string> = new Set(["cloudtrail", "logs"]);
const IAM_PEOPLE = /User|Role|Group|LoginProfile|AccessKey|MFADevice|SigningCertificate|SSHPublicKey|ServiceSpecific/;

/** `log_access` is reading logs, not reading at large: every other read is general. */
function categoryOf(service: string, name: string, record: Members): Category {
  if (service === "signin" || record["eventType"] === "AwsConsoleSignIn") return "login";
  const readOnly = record["readOnly"] === true || record["readOnly"] === "true";
  if (readOnly) return LOG_SERVICES.has(service) ? "log_access" : "general";
  const writes = record["readOnly"] === false || record["readOnly"] === "false";
  if (!writes) return "general";
  const data = record["managementEvent"] === false || record["eventCategory"] === "Data";
  if (data) return "data_modification";
  const people = service === "iam" ? IAM_PEOPLE.test(name) : IDENTITY_SERVICES.has(service);
  return people ? "user_management" : "config_change";
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function members(value: unknown): Members {
  return isMembers(value) ? value : {};
}

function string(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
