package load

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// conn is one connection to a server, and the only way to it. Its first error
// closes it, and from then on it answers nothing but that error: after a
// deadlock the server has given the transaction up, and a statement sent then
// would commit by itself; after a lock wait, COMMIT would keep half of a run.
type conn struct {
	db  *sql.DB
	sql *sql.Conn
	err error // the first one
}

// dial connects. A pool of one connection never makes a second one.
func dial(ctx context.Context, cfg *mysql.Config) (*conn, error) {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("make connector: %w", err)
	}
	c := &conn{db: sql.OpenDB(connector)}
	c.db.SetMaxOpenConns(1)
	if c.sql, err = c.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, c.db.Close())
	}
	return c, nil
}

var errClosed = errors.New("the connection is closed")

// close ends the connection. A transaction that is open is rolled back by the
// server.
func (c *conn) close() error {
	if c.err == nil {
		c.err = errClosed
	}
	if c.sql == nil {
		return nil
	}
	_ = c.sql.Raw(func(any) error { return driver.ErrBadConn }) // never back into a pool
	c.sql = nil
	return c.db.Close()
}

// fail notes an error, closes the connection, and returns the error.
func (c *conn) fail(err error) error {
	if err != nil && c.err == nil {
		c.err = err
		_ = c.close() // the first error is the one to tell
	}
	return err
}

// exec runs one statement and returns the rows it matched.
func (c *conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if c.err != nil {
		return 0, c.err
	}
	return c.matched(c.sql.ExecContext(ctx, query, args...))
}

// execute runs a statement that was prepared on this connection and returns the
// rows it matched.
func (c *conn) execute(ctx context.Context, statement *sql.Stmt, args ...any) (int64, error) {
	if c.err != nil {
		return 0, c.err
	}
	return c.matched(statement.ExecContext(ctx, args...))
}

func (c *conn) matched(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, c.fail(err)
	}
	n, err := res.RowsAffected()
	return n, c.fail(err)
}

// each passes every row of a query to visit, whose error ends it.
func (c *conn) each(ctx context.Context, visit func(scan func(...any) error) error, query string, args ...any) error {
	if c.err != nil {
		return c.err
	}
	return c.fail(c.query(ctx, visit, query, args))
}

// query is each without the end of the connection, which waits for the rows to
// be closed.
func (c *conn) query(ctx context.Context, visit func(scan func(...any) error) error, query string, args []any) error {
	rows, err := c.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one reads the first row of a query, and reports whether there is one.
func (c *conn) one(ctx context.Context, into []any, query string, args ...any) (found bool, err error) {
	err = c.each(ctx, func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(into...)
	}, query, args...)
	return found, err
}

// statement has the server prepare a statement, for the life of the connection.
// An error of the server leaves the connection as it is; that is right outside
// transactions alone.
func (c *conn) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if c.err != nil {
		return nil, c.err
	}
	statement, err := c.sql.PrepareContext(ctx, query)
	if err != nil && number(err) == 0 {
		return nil, c.fail(err)
	}
	return statement, err
}

// prepared has the server prepare a statement, which is never executed: nothing
// but what it would be refused for is found out.
func (c *conn) prepared(ctx context.Context, query string) error {
	statement, err := c.statement(ctx, query)
	if err == nil {
		defer func() { _ = c.fail(statement.Close()) }()
	}
	return err
}
