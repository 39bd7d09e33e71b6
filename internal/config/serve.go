package config

import "time"

// Serve is about the long-running poller.
type Serve struct {
	// Listen is host:port; the host may be empty for every address.
	Listen string `yaml:"listen" default:"127.0.0.1:8321" check:"listen" doc:"Address of the console and the metrics."`
	// Token is empty when none is asked for.
	Token Secret `yaml:"token" env:"JSTSYNC_TOKEN" optional:"true" doc:"Token that the console asks for. Empty: none."`
	// TimeZone is a name of the IANA time-zone database.
	TimeZone string `yaml:"time_zone" default:"Asia/Shanghai" check:"zone" doc:"Time zone of cron and of the console."`
	Language string `yaml:"language" default:"zh" oneof:"zh en" doc:"Language of the console and of alerts."`
}

// Alerts says who is told what.
type Alerts struct {
	Channels []Channel  `yaml:"channels" doc:"Where alerts are sent. Empty: nowhere."`
	Rules    AlertRules `yaml:"rules" doc:"What is worth an alert."`
}

// Channel is where alerts are sent. Names are unique.
type Channel struct {
	Name string `yaml:"name" required:"true" check:"label" doc:"Name of the channel."`
	Kind string `yaml:"kind" required:"true" oneof:"dingtalk wecom feishu webhook" doc:"Who receives it."`
	// URL begins with https://, or http:// for a loopback host. It is secret:
	// whoever knows it can post.
	URL    Secret `yaml:"url" required:"true" check:"webhook" doc:"Address to post to, as the receiver gives it out."`
	Secret Secret `yaml:"secret" optional:"true" doc:"Secret to sign messages with. Empty: they are not signed."`
}

// AlertRules says what is worth an alert.
type AlertRules struct {
	FailedAfter       int           `yaml:"failed_after" default:"3" min:"1" doc:"Failed runs in a row before an alert."`
	StaleAfter        time.Duration `yaml:"stale_after" default:"30m" above:"0s" doc:"Time without a good run after one was due before an alert."`
	AuthorizationDays int           `yaml:"authorization_days" default:"7" min:"0" doc:"Days before a shop's authorisation ends when to tell."`
	TokenDays         int           `yaml:"token_days" default:"3" min:"0" doc:"Days before the access token ends when to tell."`
}
