package mysqltest

// What the package's own tests need to see.
var (
	Unavailable = unavailable
	ErrNoServer = errNoServer
)
