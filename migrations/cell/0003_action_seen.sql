CREATE TABLE `action_seen` (
	`org_number` integer NOT NULL,
	`action` text NOT NULL,
	`version` integer NOT NULL,
	`first_day` text NOT NULL,
	`last_day` text NOT NULL,
	PRIMARY KEY(`org_number`, `action`, `version`)
) WITHOUT ROWID;
--> statement-breakpoint
-- What is past the cap of a month stands under a name that no action and no type can have.
UPDATE `counter` SET `action` = char(10) WHERE `action` = '(other)';
--> statement-breakpoint
UPDATE `counter` SET `target_types` = char(10) WHERE `target_types` = '(other)';
