CREATE TABLE `cooled` (
	`org_number` integer PRIMARY KEY NOT NULL,
	`before` integer NOT NULL
);
