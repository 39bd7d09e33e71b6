package main

import (
	"database/sql"

	"github.com/go-sql-driver/mysql"
	"github.com/rogpeppe/go-internal/testscript"
)

// user makes a user who may connect, and nothing else.
func (s *script) user(ts *testscript.TestScript, args []string) error {
	cfg, err := mysql.ParseDSN(s.dsn)
	if err != nil {
		return err
	}
	db, err := sql.Open("mysql", s.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(s.tb.Context(), "CREATE USER "+args[0]+"@'127.0.0.1' IDENTIFIED BY 'pw'"); err != nil {
		return err
	}
	cfg.User, cfg.Passwd = args[0], "pw"
	ts.Setenv(args[0], cfg.FormatDSN())
	return nil
}
