package postgrestest

import (
	"errors"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// debian is where Debian installs PostgreSQL, each major version beside the others.
const debian = "/usr/lib/postgresql/*/bin/initdb"

var errMissing = errors.New("PostgreSQL is not installed: there is no " + debian + " and no initdb in $PATH. " +
	"Install it (apt-get install postgresql; as root make test does), or set CHATWATCH_TEST_DATABASE=postgres://…")

// programs finds the directory of PostgreSQL's programs: the newest version of the pattern, otherwise that of $PATH.
func programs(pattern string) (string, error) {
	newest, found := 0, ""
	matches, _ := filepath.Glob(pattern)
	for _, initdb := range matches {
		bin := filepath.Dir(initdb)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, found = version, bin
		}
	}
	if found != "" {
		return found, nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", errMissing
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return "", err
	}
	return filepath.Dir(initdb), nil
}

// unprivileged is the user postgres, otherwise nobody: PostgreSQL does not run as root.
func unprivileged() *syscall.Credential {
	if u, err := user.Lookup("postgres"); err == nil {
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534}
}
