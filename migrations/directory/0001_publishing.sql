ALTER TABLE `ledger_gauge` ADD `published` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `ledger_gauge` ADD `oldest_unpublished_at` integer;