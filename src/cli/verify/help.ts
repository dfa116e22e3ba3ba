export const VERIFY_HELP = `Checks a log, or one event of it. It tells you whether anything was changed, removed,
reordered or put in the wrong org, and which entry.

Without trusting who runs the log:

  npx indelible verify event.tlog-proof --key VKEY     one event, offline
  npx indelible verify https://HOST/v1/orgs/acme       the logs of an org, as they are served
  npx indelible verify FOLDER                          a copy of it, with or without contents
  npx indelible verify export.ndjson --key VKEY        an export, line by line, offline

  --key VKEY         the log's public key, or a witness's; may be given more than once
  --since FILE       a checkpoint you kept: has the log only grown since?
  --complete         every section must be seen: one withheld from you is a break
  --continues FILE   the last checkpoint of the log before, where it is not beside this one
  --manifest FILE    of an export  (the file beside it, export-manifest.json or manifest.json)
  --org ORG          the org, when the address names none
  --api-key KEY      for a log that is not public  (INDELIBLE_KEY, if INDELIBLE_URL is its service)
  --state DIR        where keys and checkpoints are remembered  (~/.local/state/indelible)
  --json             the report as JSON

The key and the newest checkpoint of each log are remembered: a log that takes back its word is
found out the next time. Without --key, a log met for the first time is taken at its word.

By asking the service, which sees its own stores and every content, but has to be believed:

  npm run verify -- --org acme

  --org ORG          the org whose logs are checked
  --url URL          where the service answers  (INDELIBLE_URL, else http://localhost:8787)
  --key KEY          your API key  (INDELIBLE_KEY, else ROOT_KEY from .dev.vars)
  --reason TEXT      why you check, for the trace; some orgs ask for it
  --json             the report as JSON

  -h, --help         this text

Ends with 0 when all that was checked holds, 1 when it is broken, 2 when it could not be checked.
What is checked, and what nobody can prove: docs/verify.md
`;
