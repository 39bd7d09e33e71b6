-- shops  读取 1 条（1 页） · 新增 0 · 修改 0 · 删除 29 · 未变 1
-- 仅供审阅，请勿执行。jstsync apply 和 sync 会在同一个事务里分批写入这些行，并同时更新检查点（记录表停
-- 在哪次运行）；只要有一行该有而没有、或不该有而有，就全部回滚。由其他途径写入的内容，包括执行本文件，
-- 都会被 jstsync 视为他人的改动。
-- 管道设置为 deletes: soft 时，apply 不删除行，而是设置 `deleted_at`；该行重新出现时再清空。
-- 已拦截：30 行中要删除 29 行，同时超过 5 行和 10 % 两个上限；没有写入任何数据
-- 确认无误后：先用 jstsync plan shops --out FILE 保存计划，用 jstsync show FILE 查看，再执行 jstsync
-- apply --override-guard FILE

SET NAMES utf8mb4;

-- 29 条删除
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
