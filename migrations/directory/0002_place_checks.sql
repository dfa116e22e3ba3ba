CREATE TABLE `canary` (
	`cell` text PRIMARY KEY NOT NULL,
	`good_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sample_turn` (
	`only` integer PRIMARY KEY NOT NULL,
	`day` integer NOT NULL,
	`orgs` integer NOT NULL,
	`done` integer NOT NULL,
	`reached` text
);
