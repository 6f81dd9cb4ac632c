package throwaway

import (
	"fmt"
	"io"
	"os/exec"
	"strconv"
)

// A keeper is a shell process that ends a server and removes its folder when
// this process ends, which it knows from the end of its input. The input is the
// process group of the server, or 0 for none, each time that it changes.
type keeper struct {
	cmd   *exec.Cmd
	input io.WriteCloser
}

// The signals of a terminal are for the process that the keeper watches.
const keeping = `trap '' HUP INT TERM
pid=0
while read -r line; do pid=$line; done
if [ "$pid" != 0 ]; then
	kill -QUIT "$pid"
	for wait in 1 2 3 4 5; do
		kill -0 "$pid" || break
		sleep 0.1
	done
	kill -KILL "-$pid"
fi 2>/dev/null
rm -rf "$1"`

func keep(dir string) (*keeper, error) {
	cmd := exec.Command("/bin/sh", "-c", keeping, "sh", dir)
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("throwaway: %w", err)
	}
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("throwaway: %w", err)
	}
	return &keeper{cmd, input}, nil
}

// watch tells which process group to end, 0 for none.
func (k *keeper) watch(pid int) { io.WriteString(k.input, strconv.Itoa(pid)+"\n") }

// dismiss has the keeper do what it is there for, and waits for it.
func (k *keeper) dismiss() error {
	k.input.Close()
	return k.cmd.Wait()
}
