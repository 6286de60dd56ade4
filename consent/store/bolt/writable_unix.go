//go:build unix && !solaris && !illumos && !aix

package bolt

import (
	"io/fs"
	"syscall"
)

// writable returns an error if this user may not make files in the folder (access(2) for writing and searching).
func writable(dir string) error {
	const writing, searching = 2, 1
	if err := syscall.Access(dir, writing|searching); err != nil {
		return &fs.PathError{Op: "access", Path: dir, Err: err}
	}
	return nil
}
