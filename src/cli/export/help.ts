import { COMMON_HELP } from "../options.ts";
import { EXPORT_GIVE_UP_MINUTES } from "../limits.ts";

export const EXPORT_HELP = `Gets entries out of an org, in a form that proves itself.

  npx indelible export --org acme --to july.ndjson --reason "audit 2026" --from 2026-07-01T00:00:00Z
  npx indelible export --all https://HOST --org acme --to acme-copy --reason "moving out"

Without --all the service makes an export, which is fetched part by part into one file; the manifest
beside it says what is in it and is signed by the log's key.

With --all all logs of the org are copied into a folder as they lie under their addresses: checkpoints,
keys, tiles, leaves, lists of what is gone, and every entry with its sections.

Both are checked with nobody to be asked: npx indelible verify FILE or FOLDER. A run cut short goes on
where it was when the same command is given again.

  --to PLACE        the file, or with --all the folder
  --reason TEXT     why; it is sealed in the log
  --format FORMAT   ndjson, whose lines prove themselves, or csv  (ndjson)
  --filter=N=V      a parameter of the list of entries, such as --filter=action=user.* or
                    --filter=-category=login; may be given more than once
  --from TIME       entries that occurred then or later
  --until TIME      entries that occurred then or earlier
  --sections LIST   of each entry only these: event,note,actor,actor/detail,on_behalf_of,
                    on_behalf_of/detail,target,target/detail,context,changes,metadata
  --json            the result as JSON
  --org ORG         the org
${COMMON_HELP}
The key needs the scopes exports:write and events:read, and personal:read for what is personal; --all
needs them all. The service being away is waited out, up to ${EXPORT_GIVE_UP_MINUTES} minutes.
Ends with 0 when all is there, 2 when it could not be done.
`;
