-- shops  读取 1,204 条（13 页） · 新增 2 · 修改 4 · 删除 2 · 未变 1,199 · 保留 4 · 外来 1 · 隔离 2 ·
-- 暂缓删除 1
-- 仅供审阅，请勿执行。jstsync apply 和 sync 会在同一个事务里分批写入这些行，并同时更新检查点（记录表停
-- 在哪次运行）；只要有一行该有而没有、或不该有而有，就全部回滚。由其他途径写入的内容，包括执行本文件，
-- 都会被 jstsync 视为他人的改动。
-- 管道设置为 deletes: soft 时，apply 不删除行，而是设置 `deleted_at`；该行重新出现时再清空。
-- 扫描不稳定：2 个主键出现了两次，第一个是 10394540
-- 暂缓删除：1 条删除未执行：响应中没有对照记录 10394533，而分页结果里有它
-- 主键：10394777
-- 警告：规则 有名 被12 条记录违反：10394533, 10394534 ……另有 10 条
-- 已隔离：10394810  字段 created："2024-02-30" 不是日期（列 created DATETIME(3)）
-- 已隔离：（无主键）  主键无法读取：字段 shop_id："\u202eabc" 不是整数（列 shop_id BIGINT）

SET NAMES utf8mb4;

-- 2 条删除
DELETE FROM `jst_shops` WHERE `shop_id` = 10394999;
DELETE FROM `jst_shops` WHERE `shop_id` = 10395000;

-- 修改 4 行
-- -7: 店铺网址 (shop_url) 原为 "C:\\a"
UPDATE `jst_shops` SET `shop_url` = CONCAT('"C:', _utf8mb4 X'5C', 'b"') WHERE `shop_id` = -7;
-- 10394533: 店铺名称 (shop_name) 原为 "旧", 店铺网址 (shop_url) 原为 NULL
UPDATE `jst_shops` SET `shop_name` = '0103测试店铺', `shop_url` = '' WHERE `shop_id` = 10394533;
-- 10394534: 店铺名称 (shop_name) 原为 "👨‍👩‍👧‍👦母婴", 创建时间 (created) 原为 "2026-11-22 18:00:00.000", 店铺网址 (shop_url) 原为 "https://shop.example.com/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/?q=店铺", group_id 原为 1
UPDATE `jst_shops` SET `shop_name` = '👨‍👩‍👧‍👦👨‍👩‍👧‍👦母婴', `created` = NULL, `shop_url` = 'https://shop.example.com/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/?q=店铺x', `group_id` = 9007199254740993 WHERE `shop_id` = 10394534;
-- 10394535: 店铺名称 (shop_name) 原为 "旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店", 店铺网址 (shop_url) 原为 "a"
UPDATE `jst_shops` SET `shop_name` = '旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店旗舰店👨‍👩‍👧‍👦', `shop_url` = 'b' WHERE `shop_id` = 10394535;

-- 新增 2 行
INSERT INTO `jst_shops` (`shop_id`, `shop_name`, `created`, `shop_url`, `group_id`) VALUES (10394540, '新店铺', '2026-11-22 18:00:00.000', NULL, 1);
INSERT INTO `jst_shops` (`shop_id`, `shop_name`, `created`, `shop_url`, `group_id`) VALUES (10400001, CONCAT('<script>alert(`1`)</script>|''', _utf8mb4 X'5C'), NULL, CONCAT(_utf8mb4 X'1B', '[2J', _utf8mb4 X'E280AE', 'abc', _utf8mb4 X'C29B', '1A', _utf8mb4 X'0D0A09007FE280A8', '"', _utf8mb4 X'5C'), 1);
