// Package alert tells people when something begins to be wrong, and when it is
// right again.
//
// A [Book] remembers what was raised. It is told what is seen (how a run ended,
// when a token ends, which shops' authorisations do) and gives back a [Notice]
// for each condition that begins or ends, once each: what goes on is not told
// again, also not after a restart, for the book is kept in the state file. A
// [Sender] puts notices into a [Message] and sends it to a robot of DingTalk,
// WeCom or Feishu, or to a webhook.
//
// Guarantees: between two notices that a condition began there is one that it
// ended. An address or a secret is in no error and no message.
//
// Non-guarantees: a message whose answer is lost, or whose sending is cut off by
// the end of the process, is sent again and may come twice.
package alert
