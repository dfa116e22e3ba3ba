-- A ring of 16 month slots: an entry sequenced in a month lies in slot (year * 12 + month - 1) % 16, so that a month leaves
-- by DROP TABLE, which writes no row. `key` is org_number * 2^32 + index. `term_NN` holds one row of opaque tokens an entry,
-- under the same number: letters and digits alone, which `ascii` leaves whole.
CREATE TABLE `entry_00` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_00` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_01` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_01` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_02` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_02` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_03` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_03` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_04` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_04` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_05` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_05` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_06` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_06` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_07` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_07` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_08` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_08` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_09` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_09` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_10` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_10` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_11` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_11` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_12` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_12` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_13` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_13` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_14` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_14` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
--> statement-breakpoint
CREATE TABLE `entry_15` (`key` integer PRIMARY KEY NOT NULL, `record` text NOT NULL) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE `term_15` USING fts5(x, content='', contentless_delete=1, detail='none', tokenize='ascii');
