-- shops  1 read in 1 page · 0 insert · 0 update · 29 delete · 1 unchanged
-- For review only: do not run it. jstsync apply and sync write these rows in one transaction, in
-- batches, beside the checkpoint that says which run the table is at, and roll everything back when a
-- row is missing that should be there, or there that should not. What anything else writes, this text
-- included, jstsync takes for somebody else's change.
-- Where the pipeline says deletes: soft, apply sets `deleted_at` instead of deleting a row, and clears
-- it where a row returns.
-- HELD: the source answered no records, the snapshot holds 1,204; nothing was written
-- no flag lifts this; if the source is empty indeed, set guard.allow_empty of this pipeline

SET NAMES utf8mb4;

-- 29 deletes
DELETE FROM `jst_shops` WHERE `shop_id` = 10394500;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394501;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394502;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394503;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394504;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394505;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394506;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394507;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394508;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394509;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394510;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394511;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394512;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394513;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394514;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394515;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394516;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394517;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394518;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394519;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394520;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394521;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394522;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394523;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394524;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394525;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394526;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394527;
DELETE FROM `jst_shops` WHERE `shop_id` = 10394528;
