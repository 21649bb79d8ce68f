//go:build !unix || solaris || aix

package embedded

import (
	"errors"
	"fmt"
	"os"
)

// lockFile refuses: without a lock that ends with the process, two writers could share a file.
func lockFile(path string) (*os.File, error) {
	return nil, fmt.Errorf("lock %s: %w", path, errors.ErrUnsupported)
}
