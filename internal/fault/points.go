package fault

// Point names a place right before or after a side effect of a run.
type Point string

// The points, in the order in which a run passes them. docs/testing.md lists
// them with what is at stake at each.
const (
	LockAcquired  Point = "lock.acquired"  // the run lock is held and signed
	PageRead      Point = "page.read"      // a page came
	WitnessAsked  Point = "witness.asked"  // a batch of ids was answered
	TokenRenewed  Point = "token.renewed"  // the vendor gave out a token that is not stored yet
	TokenStore    Point = "token.store"    // inside the transaction that stores it
	TokenStored   Point = "token.stored"   // it is durable and not used yet
	TargetConnect Point = "target.connect" // before the connection is made
	FileCreate    Point = "file.create"    // a new state file is whole and still under its temporary name
	FileCreated   Point = "file.created"   // it has its name
	TablesCreated Point = "tables.created" // both tables are there
	ClaimInsert   Point = "claim.insert"   // before the checkpoint row is claimed
	ClaimInserted Point = "claim.inserted" // it is claimed and not read back yet
	StageBegin    Point = "stage.begin"    // before anything is staged
	StageRows     Point = "stage.rows"     // before a chunk of changes is put
	StageIndex    Point = "stage.index"    // before a chunk of the next index is put
	IntentPut     Point = "intent.put"     // inside the last staging transaction
	IntentDone    Point = "intent.done"    // the intent is durable
	TxBegin       Point = "tx.begin"       // before START TRANSACTION
	TxBegun       Point = "tx.begun"       // before the transaction's first statement
	TxFenced      Point = "tx.fenced"      // the checkpoint row is moved and locked
	TxBatch       Point = "tx.batch"       // before a batch of rows is written
	TxCommit      Point = "tx.commit"      // before COMMIT is sent
	TxCommitted   Point = "tx.committed"   // COMMIT is answered
	FinaliseBegin Point = "finalise.begin" // before the state file records the commit
	FinalisePut   Point = "finalise.put"   // inside that transaction, everything put
	FinaliseSweep Point = "finalise.sweep" // recorded; before what is stale is removed
	FinaliseDone  Point = "finalise.done"  // nothing left but to say so
	ResolveLock   Point = "resolve.lock"   // before the checkpoint row is read under its lock
	ResolveBump   Point = "resolve.bump"   // it says "not committed"; before its epoch is raised
	ResolveBumped Point = "resolve.bumped" // the raised epoch is committed
	AbortBegin    Point = "abort.begin"    // before the intent is dropped
	AbortPut      Point = "abort.put"      // inside that transaction, everything put
	AbortSweep    Point = "abort.sweep"    // dropped; before the staged changes are removed
	RecordPut     Point = "record.put"     // inside the transaction that records a run without changes
	RecordDone    Point = "record.done"    // it is recorded
)

// Points returns every point.
func Points() []Point {
	return []Point{
		LockAcquired, PageRead, WitnessAsked, TokenRenewed, TokenStore, TokenStored, TargetConnect, FileCreate, FileCreated,
		TablesCreated, ClaimInsert, ClaimInserted, StageBegin, StageRows, StageIndex, IntentPut, IntentDone,
		TxBegin, TxBegun, TxFenced, TxBatch, TxCommit, TxCommitted, FinaliseBegin, FinalisePut, FinaliseSweep, FinaliseDone,
		ResolveLock, ResolveBump, ResolveBumped, AbortBegin, AbortPut, AbortSweep, RecordPut, RecordDone,
	}
}
