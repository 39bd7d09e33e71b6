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
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		what := "is not a MySQL DSN"
		if text, ok := strings.CutPrefix(err.Error(), "invalid DSN: "); ok {
			what += ": " + text // any other text quotes the DSN, and so perhaps a part of the password
		}
		return nil, badDSN(what, "write it as user:password@tcp(host:3306)/database")
	}
	if err := checkParams(dsn); err != nil {
		return nil, err
	}
	if cfg.DBName == "" {
		return nil, badDSN("names no database", "write it as user:password@tcp(host:3306)/database")
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

func badDSN(what, remedy string) error {
	return &diff.Error{Code: diff.CodeConfig, Message: "target.dsn (MYSQL_DSN) " + what, Remedy: remedy}
}

// checkParams refuses the parameters that the product sets itself, and those
// that nobody here has thought about.
func checkParams(dsn string) error {
	_, query, ok := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	if !ok {
		return nil
	}
	for param := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(param, "=")
		switch name {
		case "tls", "timeout", "readTimeout", "writeTimeout", "serverPubKey",
			"allowCleartextPasswords", "allowNativePasswords", "allowOldPasswords", "allowFallbackToPlaintext":
		case "charset":
			if value != "utf8mb4" {
				return badDSN("sets charset="+value, "leave charset out: jstsync always uses utf8mb4")
			}
		case "parseTime", "loc", "clientFoundRows", "multiStatements", "interpolateParams", "sql_mode", "time_zone":
			return badDSN("sets "+name+", which jstsync sets itself", "take "+name+" out of the DSN")
		default:
			return badDSN("sets "+name+", which jstsync does not take", "take "+name+" out of the DSN; tls and timeouts may stay")
		}
	}
	return nil
}

// driverLog sends what the driver would print to the program's own log.
type driverLog struct{ log *slog.Logger }

func (l driverLog) Print(v ...any) { l.log.Debug("mysql driver", "err", fmt.Sprint(v...)) }
