package state

import "syscall"

// networkKind names the network file system that the file or directory is on,
// or returns "".
func networkKind(path string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return "" // whoever opens the file finds out more
	}
	return networkName(uint32(st.Type)) //nolint:gosec // the numbers are of 32 bits, the field's width is the architecture's
}

// networkName names a network file system by its number in statfs(2).
func networkName(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0xff534d42, 0xfe534d42, 0x517b:
		return "SMB"
	case 0x5346414f, 0x6b414653:
		return "AFS"
	case 0x00c36400:
		return "Ceph"
	case 0x73757245:
		return "Coda"
	case 0x564c:
		return "NCP"
	case 0x0bd00bd0:
		return "Lustre"
	default:
		return ""
	}
}
