package diff

import (
	"errors"
	"fmt"
)

// Code names a class of failure for programs: the "code" of a failed run's
// JSON. Codes are never renamed.
type Code string

// The classes of failure.
const (
	CodeUsage        Code = "usage"          // the command line is wrong
	CodeConfig       Code = "config"         // a setting is missing or wrong
	CodeBusy         Code = "busy"           // another runner holds the state file
	CodeInDoubt      Code = "in_doubt"       // an unfinished run cannot be decided yet
	CodeDiverged     Code = "diverged"       // the target is not where this state file left it
	CodeForeignRows  Code = "foreign_rows"   // the target holds rows that no run wrote
	CodeUnfinished   Code = "unfinished"     // a run must be finished by sync first
	CodeState        Code = "state"          // the state file cannot be read or written
	CodeTarget       Code = "target"         // the MySQL server refused or failed
	CodeTargetAccess Code = "target_access"  // user, password or grants
	CodeTargetSchema Code = "target_schema"  // the table is not one that can be written
	CodeUnreachable  Code = "unreachable"    // no connection to the API or the server
	CodeSignature    Code = "bad_signature"  // the API does not accept the signature
	CodeToken        Code = "token"          // the access token is expired, wrong or missing
	CodeClock        Code = "clock"          // the API finds the timestamp too far off
	CodeNotAllowed   Code = "ip_not_allowed" // this address is not on the app's list
	CodeNoRight      Code = "no_permission"  // the app has no right to this call
	CodeParameter    Code = "bad_parameter"  // the API does not accept a parameter
	CodeRateLimited  Code = "rate_limited"   // too many calls
	CodeVendorFault  Code = "vendor_fault"   // the API failed on its side
	CodeBadAnswer    Code = "bad_answer"     // the answer is not what the API documents
	CodeAppKind      Code = "app_kind"       // the call is not for this kind of app
	CodePlanFile     Code = "plan_file"      // a saved plan cannot be read or written, or was altered
	CodeStalePlan    Code = "stale_plan"     // a saved plan no longer holds
	CodeQuality      Code = "quality"        // a record breaks a rule with on_fail: fail
	CodeInterrupted  Code = "interrupted"    // a signal ended the run
	CodeFailed       Code = "failed"         // anything else
)

// Error is a failure that a person can act on.
type Error struct {
	Code    Code
	Message string // what happened, naming the thing; no trailing period
	Remedy  string // what to do about it, or ""
	Err     error  // the cause, or nil
}

// Error returns the message and the cause; the remedy is for who prints it.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return fmt.Sprintf("%s: %v", e.Message, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the outermost [Error] in err's chain, and
// [CodeFailed] when there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeFailed
}
