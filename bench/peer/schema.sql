-- An audit log whose chain is kept by the database: a checksum over the one before, made by a trigger that takes a lock an
-- org. The place in the chain is given under the lock, so that neither equal times nor rows of one insert can fork it.
create table audit_logs (
  id uuid primary key default gen_random_uuid(),
  org_id text not null,
  chain_seq bigint not null,
  timestamp timestamptz not null default now(),
  actor_type text not null,
  actor_id text not null,
  actor_email text,
  action text not null,
  resource_type text,
  resource_id text,
  resource_name text,
  details jsonb,
  ip_address text,
  user_agent text,
  result text not null,
  error_message text,
  prev_checksum text,
  checksum text not null,
  unique (org_id, chain_seq)
);

create function audit_log_payload(entry audit_logs) returns text language sql stable as $$
  select concat_ws('|', coalesce(entry.prev_checksum, ''), entry.id, entry.actor_type, entry.actor_id, entry.action,
    coalesce(entry.resource_type, ''), coalesce(entry.resource_id, ''), entry.result,
    coalesce(entry.details::text, ''), to_char(entry.timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))
$$;

create function audit_log_link() returns trigger language plpgsql as $$
declare
  before record;
begin
  perform pg_advisory_xact_lock(1002, hashtext(new.org_id));
  select chain_seq, checksum into before from audit_logs
    where org_id = new.org_id order by chain_seq desc limit 1;
  new.chain_seq := coalesce(before.chain_seq, 0) + 1;
  new.prev_checksum := before.checksum;
  new.checksum := encode(sha256(convert_to(audit_log_payload(new), 'UTF8')), 'hex');
  return new;
end
$$;

create trigger audit_log_link before insert on audit_logs for each row execute function audit_log_link();
