package load

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
)

// Time limits of a connection, unless the DSN sets them. A read waits for the
// longest statement, which batching keeps to seconds.
const (
	dialTimeout  = 10 * time.Second
	replyTimeout = 60 * time.Second
)

// config reads a DSN and adds what the product sets. The error never holds the
// password.
func config(dsn string, log *slog.Logger) (*mysql.Config, error) {
	if mistakes := CheckDSN(dsn); len(mistakes) > 0 {
		first := *mistakes[0]
		first.Message = "target.dsn (MYSQL_DSN) " + first.Message
		return nil, &first
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	cfg.ClientFoundRows = true
	cfg.InterpolateParams = true
	cfg.Loc = time.UTC
	cfg.Logger = driverLog{log}
	cfg.ConnectionAttributes = "program_name:jstsync"
	if cfg.Timeout == 0 {
		cfg.Timeout = dialTimeout
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = replyTimeout
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = replyTimeout
	}
	if err := cfg.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return nil, fmt.Errorf("set charset: %w", err)
	}
	return cfg, nil
}

// CheckDSN returns everything that is wrong with a DSN, nothing when [Open]
// takes it. The messages leave out whose DSN it is; none holds a part of the
// password.
func CheckDSN(dsn string) []*diff.Error {
	const form = "write it as user:password@tcp(host:3306)/database"
	address, query, _ := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	address = dsn[:strings.LastIndexByte(dsn, '/')+1] + address
	cfg, err := mysql.ParseDSN(address)
	if err != nil {
		what := "is not a MySQL DSN"
		if text, ok := strings.CutPrefix(err.Error(), "invalid DSN: "); ok {
			what += ": " + text // any other text quotes the DSN, and so perhaps a part of the password
		}
		return []*diff.Error{badDSN(what, form)}
	}
	var mistakes []*diff.Error
	if cfg.DBName == "" {
		mistakes = append(mistakes, badDSN("names no database", form))
	}
	if query == "" {
		return mistakes
	}
	for param := range strings.SplitSeq(query, "&") {
		if wrong := checkParam(param); wrong != nil {
			mistakes = append(mistakes, wrong)
		}
	}
	return mistakes
}

func badDSN(what, remedy string) *diff.Error {
	return &diff.Error{Code: diff.CodeConfig, Message: what, Remedy: remedy}
}

// checkParam refuses a parameter that the product sets itself, one that nobody
// here has thought about, and a value that the driver does not take.
func checkParam(param string) *diff.Error {
	name, value, _ := strings.Cut(param, "=")
	switch name {
	case "tls", "timeout", "readTimeout", "writeTimeout", "serverPubKey",
		"allowCleartextPasswords", "allowNativePasswords", "allowOldPasswords", "allowFallbackToPlaintext":
		if _, err := mysql.ParseDSN("/d?" + param); err != nil {
			return badDSN("has a value of "+name+" that cannot be used", "correct "+name+", or take it out of the DSN; "+valueForm(name))
		}
	case "charset":
		if value != "utf8mb4" {
			return badDSN("sets a charset other than utf8mb4, which jstsync always uses", "take charset out of the DSN")
		}
	case "parseTime", "loc", "clientFoundRows", "multiStatements", "interpolateParams", "sql_mode", "time_zone":
		return badDSN("sets "+name+", which jstsync sets itself", "take "+name+" out of the DSN")
	default:
		if !validParam(name) {
			return badDSN("has a parameter whose name is none", "take it out of the DSN, and write what stands before ? as user:password@tcp(host:3306)/database")
		}
		return badDSN("sets "+name+", which jstsync does not take", "take "+name+" out of the DSN; tls and timeouts may stay")
	}
	return nil
}

// validParam tells whether a text is the name of a parameter. Anything else may
// be a part of the password, in a DSN that reads otherwise than it was meant.
func validParam(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// valueForm says what the values of a parameter look like.
func valueForm(name string) string {
	switch {
	case name == "tls":
		return "tls is true, false, skip-verify or preferred"
	case strings.HasPrefix(name, "allow"):
		return "it is true or false"
	case name == "serverPubKey":
		return "no key can be registered with jstsync"
	}
	return "a time limit is written like 30s"
}

// driverLog sends what the driver would print to the program's own log.
type driverLog struct{ log *slog.Logger }

func (l driverLog) Print(v ...any) { l.log.Debug("mysql driver", "err", fmt.Sprint(v...)) }
