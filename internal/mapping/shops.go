package mapping

import (
	"slices"

	"jstsync/diff"
)

// ShopID is the member by which the source is asked for a shop.
const ShopID = "shop_id"

// holdsID reports whether the column stores the id as it was sent.
func (c Column) holdsID() bool {
	return c.From == ShopID && c.Expr == nil && len(c.Clean) == 0 && c.Default == nil &&
		slices.Contains([]diff.Base{diff.BigInt, diff.Integer, diff.VarChar}, c.Type.Base)
}

// Shops returns the default columns of the resource shops, commented with the
// vendor's labels, and its key.
func Shops() (columns []Column, key []string) {
	column := func(name string, t diff.Type, comment string) Column {
		return Column{Column: diff.Column{Name: name, Type: t, Comment: comment}, From: name}
	}
	bigint := diff.Type{Base: diff.BigInt}
	text := diff.Type{Base: diff.VarChar, Size: 255}
	millis := diff.Type{Base: diff.DateTime, Size: 3}

	id := column("shop_id", bigint, "店铺编号")
	id.NotNull = true
	expires := column("session_expires_at", millis, "授权过期时间")
	expires.From, expires.DateOrNull = "session_expired", true
	return []Column{
		id,
		column("shop_name", text, "店铺名称"),
		column("co_id", bigint, "公司编号"),
		column("shop_site", text, "店铺站点"),
		column("shop_url", diff.Type{Base: diff.VarChar, Size: 1024}, "店铺网址"),
		column("created", millis, "创建时间"),
		column("nick", text, "主账号"),
		column("session_expired", diff.Type{Base: diff.VarChar, Size: 64}, "授权过期时间"),
		expires,
		column("session_uid", text, "会话用户编号"),
		column("short_name", text, "店铺简称"),
		column("group_id", bigint, "分组编号"),
		column("group_name", text, "分组名称"),
	}, []string{"shop_id"}
}
