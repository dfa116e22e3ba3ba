CREATE TABLE `dead_letter` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`org` text,
	`code` text NOT NULL,
	`reason` text NOT NULL,
	`received_at` integer NOT NULL,
	`stored_at` integer NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer,
	`bytes` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `dead_letter_by_age` ON `dead_letter` (`stored_at`,`id`);--> statement-breakpoint
CREATE INDEX `dead_letter_due` ON `dead_letter` (`state`,`next_at`);--> statement-breakpoint
CREATE TABLE `key` (
	`id` text PRIMARY KEY NOT NULL,
	`org` text,
	`name` text NOT NULL,
	`scopes` text NOT NULL,
	`hash` text,
	`orgs` text,
	`created_at` integer NOT NULL,
	`revoked_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `key_by_org` ON `key` (`org`,`id`);--> statement-breakpoint
CREATE TABLE `ledger_gauge` (
	`org` text PRIMARY KEY NOT NULL,
	`size` integer NOT NULL,
	`projected` integer NOT NULL,
	`archived` integer NOT NULL,
	`oldest_unprojected_at` integer,
	`oldest_unarchived_at` integer,
	`at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `metric` (
	`name` text NOT NULL,
	`labels` text NOT NULL,
	`value` real NOT NULL,
	PRIMARY KEY(`name`, `labels`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `org` (
	`org` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`jurisdiction` text NOT NULL,
	`cell` text NOT NULL,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `placement` (
	`org` text NOT NULL,
	`log` text NOT NULL,
	`first_index` integer NOT NULL,
	`cell` text NOT NULL,
	`org_number` integer NOT NULL,
	PRIMARY KEY(`org`, `log`, `first_index`)
) WITHOUT ROWID;
