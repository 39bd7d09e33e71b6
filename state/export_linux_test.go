package state

// NetworkName is networkName.
func NetworkName(magic uint32) string { return networkName(magic) }
