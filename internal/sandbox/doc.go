// Package sandbox is a local Jushuitan (聚水潭) open-API server to develop and
// test against. It holds a seeded set of shops and answers the shop query and
// the token calls the way the public SDKs describe the vendor's server, its
// oddities included; on request it misbehaves in the ways a network, a gateway
// or a changed vendor could.
//
// [Server] is the handler, [Options] its configuration, [Shop] one record,
// [Call] one answered request, [Fault] one misbehaviour, [Listen] a listener
// around a Server.
//
// # Guarantees
//
//   - The same Seed and Shops give the same records, and the first k records of
//     a larger set are equal to the records of a set of k. Order of members,
//     token values and probable faults follow the Seed and the order of calls.
//   - Signatures are verified with code of this package alone, so a mistake in
//     the client under test is not repeated here.
//   - A Server is safe for concurrent use. Edits made by an [Server.AfterPage]
//     function are visible to every call that begins after that page arrived.
//   - Nothing is written to disk and nothing is logged.
//
// # What it does not guarantee
//
//   - It is not the vendor's server. Where public sources disagree or are silent
//     the behaviour is an option with a default; the order in which several
//     mistakes of one call are reported, and the texts of a stale timestamp and
//     of a refused refresh, are choices of this package.
//   - Tokens are predictable and held in memory: this is no place for secrets.
//   - Delays are real time; [Options.Now] moves the windows and token lives only.
//   - The control endpoint trusts the address of the peer: a proxy on the same
//     machine makes every peer look local.
//
// # Calls
//
// POST with an application/x-www-form-urlencoded body; nothing is read from the
// query string. Errors are JSON bodies with HTTP status 200 (Options.ErrorStatus).
//
//	/open/shops/query              app_key access_token timestamp charset version biz sign
//	/openWeb/auth/getInitToken     app_key timestamp charset grant_type code sign
//	/openWeb/auth/accessToken      the same
//	/openWeb/auth/refreshToken     app_key timestamp charset grant_type refresh_token scope sign
//
// The rate windows count accepted shop queries, those answered with a parameter
// error included; rejected calls and token calls do not count.
//
// # Control endpoint
//
// JSON, answered to loopback peers only (403 otherwise). A mistake is answered
// with a 4xx status and {"error": "..."}.
//
//	GET    /_control/shops                 {"shops":[...]} by ascending shop_id
//	PUT    /_control/shops/{id}            body {"member": value, ...} is merged; values are kept as spelled
//	DELETE /_control/shops/{id}            removes the shop; ?members=a,b drops only those members
//	DELETE /_control/shops?keep=N          keeps the first N shops
//	POST   /_control/after-page/{n}        body {"put":{"id":{...}},"unset":{"id":["member"]},"remove":[id],"keep":N},
//	                                       applied once, right after page n of an ordinary query was answered
//	GET    /_control/calls                 {"calls":[{"path","page_index","shop_ids","code","status","fault","at"}]}
//	DELETE /_control/calls                 forgets them
//	POST   /_control/expire-token          the current access token is answered with code 100 from now on
//	GET    /_control/options               the present values of the following
//	PUT    /_control/options               body with any of "pretty" (bool), "table" ("A" or "B"), "per_second",
//	                                       "per_minute" (0 default, negative unlimited), "service_provider" (bool),
//	                                       "ahead" ("20m": the server's clock before this machine's),
//	                                       "faults" (list, replaces the present one)
//	GET    /_control/faults                {"faults":[...]} still to come
//	POST   /_control/faults                body: one fault, added at the end
//	DELETE /_control/faults                forgets them
//
// A fault is {"kind": "...", ...} with the optional members "path", "scope"
// ("pages" or "ids"), "page", "skip", "times", "probability", "delay" ("250ms"),
// "status", "retry_after", "code", "msg", "n", "row" and "value"; see [Fault].
package sandbox
