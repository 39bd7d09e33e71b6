// Package extract reads the shops of a Jushuitan merchant through the vendor's
// open platform: [Shops] signs, paces, repeats and decodes the calls, and says
// how far what it read can be trusted.
//
// [Shops.Scan] reads every page in order; [Shops.Witness] asks for records by
// id beside a control, so that a delete rests on an answer and not on silence;
// [Shops.Calls] lists every attempt. [Pacer] keeps the vendor's two rate limits
// for all who share it, [TokenSource] supplies access tokens: [Tokens], which
// renews them, to a run, and [SavedToken], which cannot, to a dry run. [Auth]
// makes the calls that obtain them. [Record] keeps the answers of a run, and
// [Replay] gives them again without a call.
//
// What it guarantees: the bytes that were signed are the bytes that are sent.
// An answer counts as success only when it says so itself; code 200 is a
// failure. A page is read whole or is an error. A record whose content cannot
// be trusted carries its error and never spoils its neighbours. Nothing is
// repeated that repeating cannot mend, and nothing goes on after its context
// ends. A renewed token is stored before it is used. No app secret, token or
// signature is in any error, log line, call record or recording. A run is
// replayed as it was: every attempt, verdict and error.
//
// What it does not: a scan of page numbers cannot see rows that move between
// pages while it runs, so [diff.Complete] means that nothing looked odd, not
// that every shop was seen. It decodes no value and judges no record's
// content beyond its being proper JSON; what a record holds is data, a secret
// or not. It stores nothing but recordings, where asked to, and through the
// [TokenStore] it is given. What the vendor does with the old token when a new
// one is given out is not known, so a lost answer may cost a token.
//
// Facts about the vendor (paths, limits, codes, field names) come from public
// clients and from the official pages they quote, since the vendor publishes
// its two error tables in conflict with each other; where they differ, the
// answer's message decides.
package extract
