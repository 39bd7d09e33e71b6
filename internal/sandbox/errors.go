package sandbox

import "strconv"

// failure is an error answer; the zero value is success.
type failure struct {
	code int
	msg  string
}

// Messages are those of the vendor where a public source quotes one; those of a
// stale timestamp, of a refused refresh and of a bad refresh token are ours.
func (t ErrorTable) badSignature() failure {
	if t == TableB {
		return failure{120, "签名错误"}
	}
	return failure{10, "验证失败！无效签名"}
}

func (t ErrorTable) badTimestamp() failure {
	if t == TableB {
		return failure{180, "无效的timestamp，与服务器时间相差超过10分钟"}
	}
	return failure{140, "无效的timestamp，与服务器时间相差超过15分钟"}
}

// skewSeconds is how far a timestamp may be off.
func (t ErrorTable) skewSeconds() int64 {
	if t == TableB {
		return 10 * 60
	}
	return 15 * 60
}

func (t ErrorTable) badToken() failure {
	if t == TableB {
		return failure{100, "access_token超时"}
	}
	return failure{100, "验证失败！无效的access_token或access_token已过期"}
}

func (t ErrorTable) perSecond() failure {
	if t == TableB {
		return failure{199, "调用太频繁，请稍后再试!"}
	}
	return failure{199, "调用频次超过限制!请稍后再试"}
}

func (t ErrorTable) perMinute() failure {
	if t == TableB {
		return failure{200, "调用频次超过限制!"}
	}
	return failure{200, "调用频次超过限制"}
}

func missing(name string) failure { return failure{130, "入参缺少" + name} }

func badParameter() failure { return failure{140, "参数不符合规范"} }

func unknownPath() failure { return failure{190, "接口不存在"} }

func refreshForbidden() failure { return failure{150, "服务商应用不允许刷新token"} }

func badRefreshToken() failure { return failure{100, "验证失败！无效的refresh_token"} }

func ownAppsOnly() failure { return failure{21024, "仅支持自有应用"} }

// failureBody is the JSON of an error answer. The caller holds s.mu.
func (s *Server) failureBody(f failure) []byte {
	members := row{{"code", []byte(strconv.Itoa(f.code))}, {"msg", quote(f.msg)}}
	if !s.opt.OmitErrorData {
		members = append(members, member{"data", []byte("null")})
	}
	return s.appendRow(nil, members)
}
