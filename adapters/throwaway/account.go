package throwaway

import (
	"errors"
	"os"
	"os/user"
	"strconv"
)

// An account is a user that servers run as.
type account struct{ uid, gid uint32 }

// unprivileged returns the user to run servers as instead of root, nil if that
// is the caller.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr == nil && gerr == nil && uid != 0 {
			return &account{uint32(uid), uint32(gid)}, nil
		}
	}
	return nil, errors.New("throwaway: running as root, and there is neither a user postgres nor nobody to run the server as")
}
