// Package console is the web pages of jstsync serve.
//
// [New] makes the handler of all pages from what it is given to read and to
// steer with ([Options]). The pages are rendered here, work without JavaScript,
// and bring all they need with them: one style sheet, one script, one icon.
//
// Guarantees: what a page shows is read from the state file, copied, and the
// file closed before a byte goes to the client; reads leave the file alone a third
// of the time, so that a run never waits long, and what was read is kept until
// something changes; a page holds at most a hundred entries, and pages are built
// a few at a time. Every value is escaped, and the policy that goes with each
// page lets nothing run but the console's own script. Where there is a token, a
// session is asked for; every form is refused that does not come from a page of
// this console in this session. Nothing is shown that is a secret.
//
// Non-guarantees: it does not encrypt, and whoever can read a session's cookie
// can read what the session reads.
package console
