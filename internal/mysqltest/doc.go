// Package mysqltest gives tests a real MySQL-speaking server.
//
// [DSN] returns a new, empty database on a server that all tests of one process share. It is started when the
// first test asks, a private mariadbd in a temporary directory on a free port of the loopback interface, unless
// JSTSYNC_TEST_DSN names an administrator's account on a running server to use instead. [Start] gives one test a
// [Server] of its own, to stop, kill and start again. A package that uses this one says so in its TestMain:
//
//	func TestMain(m *testing.M) { mysqltest.Main(m) }
//
// or, where something else wants to run the tests, as testscript does, by passing it [Wrap](m).
//
// Where there is no server to be had, a test skips and names the reason; with JSTSYNC_TEST_REQUIRE_DB=1 it fails.
//
// A private server keeps MariaDB's defaults, so tables have its default character set unless the test or the
// product says otherwise; it differs in that it writes no binary log and keeps statistics (userstat), and it makes
// each commit durable, so that killing it proves something. Its directory is removed at the end. On Linux it also
// dies with a test process that is killed, and the next server to start removes the directory that leaves.
package mysqltest
