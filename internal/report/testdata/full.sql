-- shops  1,204 read in 13 pages · 2 insert · 4 update · 2 delete · 1,199 unchanged · 4 kept · 1
-- foreign · 2 quarantined · 1 withheld
-- For review only: do not run it. jstsync apply and sync write these rows in one transaction, in
-- batches, beside the checkpoint that says which run the table is at, and roll everything back when a
-- row is missing that should be there, or there that should not. What anything else writes, this text
-- included, jstsync takes for somebody else's change.
-- Where the pipeline says deletes: soft, apply sets `deleted_at` instead of deleting a row, and clears
-- it where a row returns.
-- UNSTABLE SCAN: 2 keys came twice, the first 10394540
-- WITHHELD: 1 delete not made: the answer did not hold the control record 10394533, which the pages
-- had shown
-- keys: 10394777
-- QUARANTINED: 10394810  member created: "2024-02-30" is not a date (column created DATETIME(3))
-- QUARANTINED: (no key)  unreadable key: member shop_id: "\u202eabc" is not an integer (column shop_id
-- BIGINT)

SET NAMES utf8mb4;

-- 2 deletes
DELETE FROM `jst_shops` WHERE `shop_id` = 10394999;
DELETE FROM `jst_shops` WHERE `shop_id` = 10395000;

-- 4 updates
-- -7: shop_url was "C:\\a"
UPDATE `jst_shops` SET `shop_url` = CONCAT('"C:', _utf8mb4 X'5C', 'b"') WHERE `shop_id` = -7;
-- 10394533: shop_name was "旧", shop_url was NULL
UPDATE `jst_shops` SET `shop_name` = '0103测试店铺', `shop_url` = '' WHERE `shop_id` = 10394533;
-- 10394534: shop_name was "👨‍👩‍👧‍👦母婴", created was "2026-11-22 18:00:00.000", shop_url was "https://shop.example.com/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/?q=店铺", group_id was 1
UPDATE `jst_shops` SET `shop_name` = '👨‍👩‍👧‍👦👨‍👩‍👧‍👦母婴', `created` = NULL, `shop_url` = 'https://shop.example.com/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/?q=店铺x', `group_id` = 9007199254740993 WHERE `shop_id` = 10394534;
-- 10394535: shop_name was "旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店", shop_url was "a"
UPDATE `jst_shops` SET `shop_name` = '旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店👨‍👩‍👧‍👦', `shop_url` = 'b' WHERE `shop_id` = 10394535;

-- 2 inserts
INSERT INTO `jst_shops` (`shop_id`, `shop_name`, `created`, `shop_url`, `group_id`) VALUES (10394540, '新店铺', '2026-11-22 18:00:00.000', NULL, 1);
INSERT INTO `jst_shops` (`shop_id`, `shop_name`, `created`, `shop_url`, `group_id`) VALUES (10400001, CONCAT('<script>alert(`1`)</script>|''', _utf8mb4 X'5C'), NULL, CONCAT(_utf8mb4 X'1B', '[2J', _utf8mb4 X'E280AE', 'abc', _utf8mb4 X'C29B', '1A', _utf8mb4 X'0D0A09007FE280A8', '"', _utf8mb4 X'5C'), 1);
