CREATE TABLE `counter` (
	`org_number` integer NOT NULL,
	`day` text NOT NULL,
	`category` text NOT NULL,
	`action` text NOT NULL,
	`target_types` text NOT NULL,
	`result` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`org_number`, `day`, `category`, `action`, `target_types`, `result`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `cursor` (
	`org_number` integer PRIMARY KEY NOT NULL,
	`log` text NOT NULL,
	`next` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `org_number` (
	`org_number` integer PRIMARY KEY NOT NULL,
	`log` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `org_number_log_unique` ON `org_number` (`log`);