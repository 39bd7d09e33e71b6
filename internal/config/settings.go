package config

import "time"

// DefaultFile is the file looked for in the working directory when none is named.
const DefaultFile = "jstsync.yaml"

// Tags that describe a setting to the decoder:
//
//	yaml     the key; a field without this tag is no setting
//	default  the value when nothing gives one; for a section of names, its one name
//	env      the environment variable that fills what the file leaves out;
//	         a setting without a default needs one
//	file     "true": NAME_file may name a file that holds the value; secrets always may
//	literal  "password": only the password part of this secret is secret
//	min, max the least and the greatest value
//	above    the value must be greater than this
//	check    the form of a text: url, table
//	oneof    the texts accepted, separated by blanks

// Settings is the whole configuration of one process.
type Settings struct {
	// File is the file that was read, empty when there was none.
	File string

	// State is the path of the state file.
	State string `yaml:"state" env:"JSTSYNC_STATE" default:"jstsync.db"`
	// LockTimeout is how long to wait for another runner.
	LockTimeout time.Duration `yaml:"lock_timeout" default:"5s" above:"0s"`
	Source      Source        `yaml:"source"`
	Target      Target        `yaml:"target"`
	// Pipelines has at least one element and is sorted by name.
	Pipelines []Pipeline `yaml:"pipelines" default:"shops"`

	missing []Problem
}

// Source is how the Jushuitan open API is reached.
type Source struct {
	// BaseURL has no trailing slash, query, fragment or user; http only for a loopback host.
	BaseURL     string        `yaml:"base_url" env:"JST_BASE_URL" default:"https://openapi.jushuitan.com" check:"url"`
	AppKey      string        `yaml:"app_key" env:"JST_APP_KEY" file:"true"`
	AppSecret   Secret        `yaml:"app_secret" env:"JST_APP_SECRET"`
	AccessToken Secret        `yaml:"access_token" env:"JST_ACCESS_TOKEN"`
	PageSize    int           `yaml:"page_size" default:"100" min:"1" max:"100"`
	Rate        Rate          `yaml:"rate"`
	Timeout     time.Duration `yaml:"timeout" default:"30s" above:"0s"` // one call
	Retry       Retry         `yaml:"retry"`
}

// Rate is the greatest number of calls; both limits hold at once.
type Rate struct {
	PerSecond float64 `yaml:"per_second" default:"5" above:"0"`
	PerMinute float64 `yaml:"per_minute" default:"100" above:"0"`
}

// Retry bounds the attempts at one call; whichever is reached first ends them.
type Retry struct {
	MaxAttempts int           `yaml:"max_attempts" default:"6" min:"1"` // the first one included
	MaxElapsed  time.Duration `yaml:"max_elapsed" default:"5m" above:"0s"`
}

// Target is the MySQL server written to.
type Target struct {
	// DSN is user:password@tcp(host:3306)/database, as given; nothing here parses it.
	DSN Secret `yaml:"dsn" env:"MYSQL_DSN" literal:"password"`
}

// Pipeline keeps one table equal to one resource.
type Pipeline struct {
	// Name is 1 to 64 of A-Z, a-z, 0-9, "_" and "-".
	Name     string
	Resource string `yaml:"resource" default:"shops" oneof:"shops"`
	// Table is a plain table name, without a schema.
	Table string `yaml:"table" default:"jst_shops" check:"table"`
	Guard Guard  `yaml:"guard"`
}

// Guard is what holds a change set back. A kind trips when its count is over
// the absolute limit and its share of the snapshot is over the percent limit.
type Guard struct {
	MaxDeletes       int  `yaml:"max_deletes" default:"5" min:"0"`
	MaxDeletePercent int  `yaml:"max_delete_percent" default:"10" min:"0" max:"100"`
	MaxUpdates       int  `yaml:"max_updates" default:"20" min:"0"`
	MaxUpdatePercent int  `yaml:"max_update_percent" default:"50" min:"0" max:"100"`
	AllowEmpty       bool `yaml:"allow_empty" default:"false"`
}
