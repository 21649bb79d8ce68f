//go:build unix && !solaris && !aix

package embedded

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFile holds path+".lock" until the file is closed or the process ends, however it ends. It is a file of its own
// because closing any descriptor of the database file would drop SQLite's locks on it.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
