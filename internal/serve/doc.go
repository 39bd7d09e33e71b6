// Package serve answers HTTP requests beside the poller: metrics, health, and
// pausing and resuming pipelines.
//
// A [Server] is made for a [Scheduler] and a handler of metrics, given a token
// where there is one ([Server.SetToken]), and serves a listener until its
// context ends ([Server.Serve]).
//
// Guarantees: without a token only this machine is answered; a token is compared
// in constant time; requests are bounded in number, size and time; what is
// refused is logged, in a bounded number of lines. Non-guarantees: it does not
// encrypt. Who listens elsewhere than on this machine puts a server that speaks
// TLS before it.
package serve
