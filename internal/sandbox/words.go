package sandbox

func brands() []string {
	return []string{
		"云栖", "青禾", "南屏", "橙果", "山海", "白鹭", "星野", "蓝鲸", "竹里", "拾光",
		"禾木", "远山", "晴川", "松果", "花涧", "沐阳", "北辰", "鹿鸣", "春陌", "墨白",
		"顺风", "大江", "小满", "半岛",
	}
}

func wares() []string {
	return []string{
		"家居", "母婴", "女装", "男装", "童鞋", "箱包", "数码", "食品", "茶叶", "美妆",
		"户外", "文具", "宠物", "五金", "家纺", "灯饰",
	}
}

func suffixes() []string {
	return []string{"旗舰店", "专营店", "专卖店", "企业店", "工厂店", "海外旗舰店", "小店", "分销店"}
}

func groups() []string {
	return []string{"自有商城", "华东一组", "华南二组", "直播渠道", "分销渠道"}
}

// sites are names of the vendor's list of shop sites.
func sites() []string {
	return []string{
		"商家自有商城", "京东商城", "淘宝天猫", "拼多多", "抖音", "快手小店", "小红书", "唯品会",
		"微信小店", "有赞", "苏宁易购", "1688",
	}
}

// oddities end names that break careless code; the order puts the nastiest first.
func oddities() []string {
	return []string{
		"亲子\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466店", // family: ZWJ sequence
		"\U00020BB7祥百货专营店",                                              // four-byte Han character
		"\"官方\"旗舰店",
		"\\n\\反斜杠店",
		"Home&Living <优选>",
		"Cafe\u0301 精品店",                    // combining acute accent
		"甜品\U0001F370\U0001F44D\U0001F3FD店", // emoji with a skin tone
		"'; -- 店",
		"Ｆｕｌｌ　Ｗｉｄｔｈ店", // full-width letters and space
		" 首尾空格 ",
		"海外\U0001F1E8\U0001F1F3馆", // flag: two regional indicators
		"100% 正品_店",
		"\u200B零宽\u00A0空格店", // zero-width space, no-break space
		"咖啡\u2615\uFE0F{\"k\":[1]}",
		"\U0001F3F3\uFE0F\u200D\U0001F308彩虹店", // rainbow flag: ZWJ and variation selector
		"制表\t换行\n店",
	}
}
