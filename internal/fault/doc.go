// Package fault makes a run fail where a test wants it to.
//
// Every side effect of a run passes a [Point]: [Hit] is called with its name
// right before or after it. In a test build (-tags fault) the environment says
// what happens there. JSTSYNC_FAULT is a list of POINT@N=ACTION, separated by
// commas: at the N-th time (1 where @N is left out) that the process passes
// the point, ACTION is done:
//
//	kill          the process sends itself SIGKILL
//	stop          the process sends itself SIGSTOP, and goes on after SIGCONT
//	error         Hit returns an [Error]
//	delay=250ms   Hit returns nil that much later
//
// JSTSYNC_FAULT_LIMITS is a list of NAME=N that replaces limits of the product
// which a test of few rows or seconds would not reach: [Limit].
//
// In the shipped build Hit and Limit are empty and inlined, nothing reads these
// variables, and the names of the points are not in the binary.
package fault
