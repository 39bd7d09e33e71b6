package load

import "strings"

// Identity names the table and the server it is on, as host:port/database/table,
// by what the DSN says; nobody is asked. A server on a socket is named by the
// socket's path. User and password are no part of it.
func (t *Target) Identity() string {
	address := t.cfg.Addr
	if t.cfg.Net == "tcp" {
		address = strings.ToLower(address)
	}
	return address + "/" + t.cfg.DBName + "/" + t.table.Name
}
