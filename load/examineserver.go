package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"jstsync/diff"
)

// smallPacket is how short the longest statement may be before it matters, in
// bytes.
const smallPacket = 1 << 20

// survey collects what there is to say of a server or of tables on it.
type survey struct {
	*Session
	found []diff.Finding
}

func (s *survey) add(severity diff.Severity, id, subject string, evidence, remedy diff.Phrase) {
	s.found = append(s.found, diff.Finding{Severity: severity, ID: "mysql." + id, Subject: subject, Evidence: evidence, Remedy: remedy})
}

// Server names the server and the database, as the DSN does.
func (t *Target) Server() string { return t.cfg.Addr + "/" + t.cfg.DBName }

// ExamineServer says what there is to say of the server, to somebody who wants
// to know whether runs can work with it. It writes nothing.
func (s *Session) ExamineServer(ctx context.Context) ([]diff.Finding, error) {
	global, err := s.pairs(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'version_comment', 'sql_mode', 'wsrep_on', 'group_replication_group_name')")
	if err != nil {
		return nil, s.target.failure("read the server's variables", err)
	}
	session, err := s.pairs(ctx, "SHOW SESSION VARIABLES WHERE Variable_name IN ('innodb_lock_wait_timeout', 'wait_timeout')")
	if err != nil {
		return nil, s.target.failure("read the session's variables", err)
	}
	status, err := s.pairs(ctx, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
	if err != nil {
		return nil, s.target.failure("read the session's status", err)
	}
	v := &survey{Session: s}
	v.version(global["version"], global["version_comment"])
	v.cluster(global)
	v.transport(status["ssl_cipher"])
	v.sqlMode(global["sql_mode"])
	v.packets()
	v.timeouts(session)
	return v.found, nil
}

// pairs reads names, in lower case, and values.
func (s *Session) pairs(ctx context.Context, query string) (map[string]string, error) {
	all := map[string]string{}
	err := s.each(ctx, func(scan func(...any) error) error {
		var name, value string
		err := scan(&name, &value)
		all[strings.ToLower(name)] = value
		return err
	}, query)
	return all, err
}

var versionForm = regexp.MustCompile(`^(\d+)\.(\d+)`)

// version judges the server's own words: 10.11.6-MariaDB-log, 8.0.36.
func (s *survey) version(version, comment string) {
	product, floor := "MySQL", [2]int{5, 7}
	if strings.Contains(version+comment, "MariaDB") {
		product, floor = "MariaDB", [2]int{10, 5}
	}
	var have [2]int
	if m := versionForm.FindStringSubmatch(version); m != nil {
		have[0], _ = strconv.Atoi(m[1])
		have[1], _ = strconv.Atoi(m[2])
	}
	seen := diff.Say(version)
	if !strings.Contains(version, product) {
		seen = diff.Say(product + " " + version)
	}
	if have[0] < floor[0] || have[0] == floor[0] && have[1] < floor[1] {
		s.add(diff.SeverityError, "version", s.target.Server(), seen,
			diff.Say("upgrade the server: jstsync is written for MySQL 5.7, MariaDB 10.5 and later"))
		return
	}
	s.add(diff.SeverityOK, "version", s.target.Server(), seen, diff.Phrase{})
}

// cluster finds servers whose row locks do not exclude writers on other nodes,
// or that may answer with old rows.
func (s *survey) cluster(global map[string]string) {
	var kind string
	switch {
	case strings.Contains(global["version"], "TiDB"):
		kind = "TiDB"
	case isOn(global["wsrep_on"]) && global["wsrep_on"] != "":
		kind = "Galera"
	case global["group_replication_group_name"] != "":
		kind = "group replication"
	default:
		return
	}
	s.add(diff.SeverityWarning, "cluster", s.target.Server(), diff.Say("it is part of a cluster (%s), which jstsync was not tried on", kind),
		diff.Say("name one fixed node in target.dsn (MYSQL_DSN), and let nothing else write the tables"))
}

func (s *survey) transport(cipher string) {
	mode := s.target.cfg.TLSConfig
	switch {
	case mode == "skip-verify" || mode == "preferred":
		s.add(diff.SeverityWarning, "tls", s.target.Server(), diff.Say("tls=%s does not prove which server answers", mode),
			diff.Say("write tls=true in target.dsn (MYSQL_DSN)"))
	case cipher != "":
		s.add(diff.SeverityOK, "tls", s.target.Server(), diff.Say("the connection is encrypted (%s)", cipher), diff.Phrase{})
	case !s.target.local():
		s.add(diff.SeverityNote, "tls", s.target.Server(), diff.Say("the connection is not encrypted"),
			diff.Say("write tls=true in target.dsn (MYSQL_DSN), if the network on the way is not yours alone"))
	}
}

// local reports whether the server is on this machine.
func (t *Target) local() bool {
	if t.cfg.Net == "unix" {
		return true
	}
	host, _, _ := net.SplitHostPort(t.cfg.Addr)
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// sqlMode tells of the mode that other programs get. That of this session was
// set and read back.
func (s *survey) sqlMode(global string) {
	if strings.Contains(global, "STRICT_TRANS_TABLES") || strings.Contains(global, "STRICT_ALL_TABLES") {
		s.add(diff.SeverityOK, "sql_mode", s.target.Server(), diff.Say("the server's own sql_mode is strict, and so is this session's"), diff.Phrase{})
		return
	}
	s.add(diff.SeverityNote, "sql_mode", s.target.Server(), diff.Say("the server's own sql_mode is not strict (%q); this session's is, since jstsync sets it", global),
		diff.Say("nothing for jstsync; other programs may store values cut short: SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES')"))
}

func (s *survey) packets() {
	if s.packet < smallPacket {
		s.add(diff.SeverityWarning, "packet", s.target.Server(), diff.Say("max_allowed_packet is %d bytes: a long record may not fit in a statement", s.packet),
			diff.Say("SET GLOBAL max_allowed_packet = 16777216, and the same in the server's configuration"))
		return
	}
	s.add(diff.SeverityOK, "packet", s.target.Server(), diff.Say("statements of up to %d KiB (max_allowed_packet)", s.packet>>10), diff.Phrase{})
}

func (s *survey) timeouts(session map[string]string) {
	const remedy = "let the server, or the proxy before it, accept this setting of a session; or connect to the server directly"
	kept := false
	for _, want := range []struct {
		name, value string
		why         string
	}{
		{"innodb_lock_wait_timeout", strconv.Itoa(lockWait), "a run waits that much longer for a locked row, and an unfinished one may need several runs to be decided"},
		{"wait_timeout", strconv.Itoa(idleTimeout), "a long run may lose its connection between two statements"},
	} {
		if value := session[want.name]; value != want.value {
			kept = true
			s.add(diff.SeverityWarning, "timeouts", s.target.Server(),
				diff.Say("the session keeps %s at %q, not %s s: %s", want.name, value, want.value, diff.Say(want.why)), diff.Say(remedy))
		}
	}
	if !kept {
		s.add(diff.SeverityOK, "timeouts", s.target.Server(), diff.Say("the session takes innodb_lock_wait_timeout and wait_timeout"), diff.Phrase{})
	}
}

// currentUser returns who the server takes this session for, as GRANT names it.
func (s *Session) currentUser(ctx context.Context) (string, error) {
	var user string
	if _, err := s.one(ctx, []any{&user}, "SELECT CURRENT_USER()"); err != nil {
		return "", err
	}
	at := strings.LastIndexByte(user, '@')
	if at < 0 {
		return literal(user), nil
	}
	return fmt.Sprintf("%s@%s", literal(user[:at]), literal(user[at+1:])), nil
}
