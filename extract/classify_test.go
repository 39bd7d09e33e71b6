package extract_test

import (
	"fmt"
	"testing"

	"jstsync/diff"
	"jstsync/extract"
)

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		status, code int
		message      string
		want         extract.Class
	}{
		{200, 0, "执行成功", extract.Success},
		{500, 0, "", extract.VendorFault},
		{429, 0, "", extract.RateLimited},
		{408, 0, "", extract.VendorFault},
		{403, 0, "", extract.BadShape},
		{200, 10, "验证失败！无效签名", extract.BadSignature},
		{200, 10, "", extract.BadSignature},
		{200, 120, "签名错误", extract.BadSignature},
		{200, 120, "验证失败!无效签名", extract.BadSignature},
		{200, 10, "timestamp无效", extract.BadClock},
		{200, 100, "验证失败！无效的access_token或access_token已过期", extract.BadToken},
		{200, 100, "access_token超时", extract.BadToken},
		{200, 100, "", extract.BadToken},
		{200, 110, "IP[203.0.113.9]不在白名单内", extract.NotAllowed},
		{200, 130, "入参缺少access_token", extract.BadToken},
		{200, 130, "传输数据不能为空", extract.BadParameter},
		{200, 140, "验证失败！timestamp无效", extract.BadClock},
		{200, 140, "参数不符合规范", extract.BadParameter},
		{200, 140, "无效的app_key", extract.BadParameter},
		{200, 140, "", extract.BadParameter},
		{200, 150, "服务商应用不允许刷新", extract.AppKind},
		{200, 150, "内部处理异常", extract.VendorFault},
		{200, 150, "", extract.VendorFault},
		{200, 160, "内部保存失败", extract.VendorFault},
		{200, 170, "店铺编号[7]不存在", extract.BadParameter},
		{200, 180, "", extract.BadClock},
		{200, 190, "没有接口权限", extract.NoRight},
		{200, 190, "接口不存在", extract.NoRight},
		{200, 199, "调用频次超过限制!请稍后再试", extract.RateLimited},
		{200, 199, "权限包并发超限", extract.RateLimited},
		{200, 200, "调用频次超过限制!", extract.RateLimited},
		{200, 200, "", extract.RateLimited},
		{200, 200, "参数错误", extract.BadParameter},
		{200, 21024, "仅支持自有应用", extract.AppKind},
		{200, 999, "系统繁忙", extract.VendorFault},
		{200, 999, "whatever", extract.VendorFault},
		{429, 999, "whatever", extract.RateLimited},
		{200, -1, "Token 超时", extract.BadToken},
	} {
		t.Run(fmt.Sprintf("%d_%d_%s", tt.status, tt.code, tt.message), func(t *testing.T) {
			if got := extract.Classify(tt.status, tt.code, tt.message); got != tt.want {
				t.Errorf("got class %d, want %d", got, tt.want)
			}
		})
	}
}

func TestClass_completeness(t *testing.T) {
	transient := map[extract.Class]bool{
		extract.RateLimited: true, extract.VendorFault: true, extract.NotJSON: true, extract.Unreachable: true,
	}
	for c := extract.BadSignature; c <= extract.Unreachable; c++ {
		if c.Code() == "" || c.Code() == diff.CodeFailed {
			t.Errorf("class %d has code %q", c, c.Code())
		}
		if c.Remedy() == "" {
			t.Errorf("class %d has no remedy", c)
		}
		if got, want := c.Transient(), transient[c]; got != want {
			t.Errorf("class %d: transient %t, want %t", c, got, want)
		}
	}
}

func TestOutcome(t *testing.T) {
	for want, c := range map[string]diff.Call{
		"success":       {Status: 200},
		"unreachable":   {Err: "connection refused"},
		"bad_answer":    {Status: 200, Err: "not JSON"},
		"vendor_fault":  {Status: 502, Err: "HTTP 502"},
		"rate_limited":  {Status: 200, Code: 199, Err: "code 199"},
		"token":         {Status: 200, Code: 100, Err: "code 100"},
		"bad_signature": {Status: 200, Code: 10, Err: "code 10"},
	} {
		if got := extract.Outcome(&c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(200, 200, "调用频次超过限制!")
	f.Add(500, 0, "\xff")
	f.Fuzz(func(t *testing.T, status, code int, message string) {
		c := extract.Classify(status, code, message)
		if c > extract.Unreachable {
			t.Fatalf("class %d", c)
		}
		if c == extract.Success && code != 0 {
			t.Errorf("code %d is a success", code)
		}
		if c != extract.Success && c.Code() == "" {
			t.Errorf("class %d has no code", c)
		}
	})
}
