package config

import "time"

// DefaultFile is the file looked for in the working directory when none is named.
const DefaultFile = "jstsync.yaml"

// Tags that describe a setting to the decoder and to the JSON Schema:
//
//	yaml      the key; a field without this tag is no setting
//	doc       what it is, in a sentence of the schema
//	default   the value when nothing gives one; for a section of names, its one
//	          name; for a list, its elements separated by blanks
//	env       the environment variable that fills what the file leaves out
//	sole      "true": env fills it only where one source is configured
//	optional  "true": an empty value is a value, and the default
//	required  "true": its section may not leave it out
//	unless    the key it must not stand beside; where that one has a value, this
//	          one has none, not even its default
//	file      "true": NAME_file may name a file that holds the value; secrets always may
//	literal   "password": only the password part of this secret is secret
//	min, max  the least and the greatest value
//	above     the value must be greater than this
//	check     the form of a text, a name in forms
//	oneof     the texts accepted, separated by blanks
//
// A setting that is neither optional nor required and has no default is missing
// when nothing gives it.

// Settings is the whole configuration of one process.
type Settings struct {
	// File is the file that was read, empty when there was none.
	File string

	// State is the path of the state file.
	State string `yaml:"state" env:"JSTSYNC_STATE" default:"jstsync.db" doc:"The state file. On a local disk, never on NFS."`
	// LockTimeout is how long to wait for another runner.
	LockTimeout time.Duration `yaml:"lock_timeout" default:"5s" above:"0s" doc:"How long to wait for another runner."`
	// Source is the only source there is. It is zero when several are
	// configured; see [Settings.SourceOf].
	Source Source `yaml:"source" unless:"sources" doc:"The Jushuitan account that is read."`
	// Sources is what stands under sources, sorted by name; nil when the file
	// has a single, nameless source.
	Sources []Source `yaml:"sources" doc:"Several Jushuitan accounts by name, each with the keys of source. A pipeline names one of them as its source."`
	Target  Target   `yaml:"target" doc:"The MySQL server that is written to."`
	// Pipelines has at least one element and is sorted by name.
	Pipelines []Pipeline `yaml:"pipelines" default:"shops" doc:"The pipelines by name. Each keeps one table equal to one resource."`
	Audit     Audit      `yaml:"audit" doc:"How long the record of past runs and changes is kept."`
	Plan      Plan       `yaml:"plan" doc:"Saved plans."`
	Serve     Serve      `yaml:"serve" doc:"The long-running poller."`
	Alerts    Alerts     `yaml:"alerts" doc:"Who is told what when something is wrong."`

	missing  []Problem // settings without a value
	findings []Problem // what examiners found
}

// Source is how the Jushuitan open API is reached, for one account.
type Source struct {
	// Name is that under sources, 1 to 64 of A-Z, a-z, 0-9, "_" and "-"; empty for the nameless one.
	Name string
	// BaseURL has no trailing slash, query, fragment or user; http only for a loopback host.
	BaseURL     string        `yaml:"base_url" env:"JST_BASE_URL" default:"https://openapi.jushuitan.com" check:"url" doc:"Address of the open API. http:// is accepted for this machine only."`
	AppKey      string        `yaml:"app_key" env:"JST_APP_KEY" sole:"true" file:"true" doc:"Key of the app, from the vendor's open platform."`
	AppSecret   Secret        `yaml:"app_secret" env:"JST_APP_SECRET" sole:"true" doc:"Secret of the app, from the vendor's open platform."`
	AccessToken Secret        `yaml:"access_token" env:"JST_ACCESS_TOKEN" sole:"true" doc:"Access token of the merchant. Not needed once jstsync auth has stored one."`
	PageSize    int           `yaml:"page_size" default:"100" min:"1" max:"100" doc:"Records a page."`
	Rate        Rate          `yaml:"rate" doc:"The greatest number of calls. Both limits hold at once."`
	Timeout     time.Duration `yaml:"timeout" default:"30s" above:"0s" doc:"Time limit of one call."`
	Retry       Retry         `yaml:"retry" doc:"When to give a call up. Whichever limit is reached first ends it."`
	Record      Record        `yaml:"record" doc:"Keeps the body of every answer, for inquiries and for replay."`
}

// Rate is the greatest number of calls; both limits hold at once.
type Rate struct {
	PerSecond float64 `yaml:"per_second" default:"5" above:"0" doc:"Calls a second."`
	PerMinute float64 `yaml:"per_minute" default:"100" above:"0" doc:"Calls a minute."`
}

// Retry bounds the attempts at one call; whichever is reached first ends them.
type Retry struct {
	MaxAttempts int           `yaml:"max_attempts" default:"6" min:"1" doc:"Attempts at one call, the first one included."`
	MaxElapsed  time.Duration `yaml:"max_elapsed" default:"5m" above:"0s" doc:"Time for all attempts at one call."`
}

// Record is where the answers of the API are kept.
type Record struct {
	// Dir is a directory; empty when nothing is kept.
	Dir  string        `yaml:"dir" optional:"true" doc:"Directory for the answers. Empty: none is kept."`
	Keep time.Duration `yaml:"keep" default:"7d" above:"0s" doc:"How long an answer is kept."`
}

// Target is the MySQL server written to.
type Target struct {
	// DSN is user:password@tcp(host:3306)/database, as given; nothing here parses it.
	DSN Secret `yaml:"dsn" env:"MYSQL_DSN" literal:"password" doc:"Address, as user:password@tcp(host:3306)/database."`
}

// Audit bounds the record of past runs and changes.
type Audit struct {
	Keep time.Duration `yaml:"keep" default:"400d" above:"0s" doc:"How long runs and changes are kept."`
	// MaxRuns is the greatest number of runs; 0 means no limit.
	MaxRuns int `yaml:"max_runs" default:"0" min:"0" doc:"How many runs are kept. 0: no limit."`
}

// Plan is about saved plans.
type Plan struct {
	Valid time.Duration `yaml:"valid" default:"24h" above:"0s" doc:"How long after it was made a saved plan may be applied."`
}
