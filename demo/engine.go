package main

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"

	gms "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/types"
	"github.com/sirupsen/logrus"
)

const database = "shop"

// engine is an embedded server that speaks MySQL's protocol.
type engine struct {
	dsn      string
	listener *counter
	server   *server.Server
	done     chan struct{} // closed when it no longer accepts
}

// counter is a listener that counts what it accepts.
type counter struct {
	net.Listener
	accepted atomic.Int64
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}

// startEngine starts an engine with one empty database on a free port of the
// loopback interface.
func startEngine() (*engine, error) {
	logrus.SetOutput(io.Discard) // the engine's own log
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the engine: %w", err)
	}
	db := memory.NewDatabase(database)
	db.EnablePrimaryKeyIndexes()
	provider := memory.NewDBProvider(db)
	e := &engine{
		dsn:      fmt.Sprintf("root@tcp(%s)/%s", listener.Addr(), database),
		listener: &counter{Listener: listener},
		done:     make(chan struct{}),
	}
	config := server.Config{Protocol: "tcp", Address: listener.Addr().String(), Listener: e.listener}
	e.server, err = server.NewServer(config, gms.NewDefault(provider), sql.NewContext, memory.NewSessionBuilder(provider), nil)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	// Servers let a session set it; this engine knows it as a global one.
	sql.SystemVariables.AddSystemVariables([]sql.SystemVariable{&sql.MysqlSystemVariable{
		Name: "innodb_lock_wait_timeout", Scope: sql.GetMysqlScope(sql.SystemVariableScope_Both), Dynamic: true,
		Type: types.NewSystemIntType("innodb_lock_wait_timeout", 1, 1<<30, false), Default: int64(50),
	}})
	go func() {
		defer close(e.done)
		_ = e.server.Start() // ends when it is closed
	}()
	return e, nil
}

// connections returns how many connections were opened so far.
func (e *engine) connections() int64 { return e.listener.accepted.Load() }

// close stops the engine; its tables are gone.
func (e *engine) close() error {
	err := e.server.Close()
	<-e.done
	return err
}
