package throwaway

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Servers listen below the range from which systems take ports for outgoing
// connections, which could take the port of a server while it restarts.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// freePort returns a port of the loopback address that nobody listens on.
func freePort() (int, error) {
	for range 1000 {
		if port := lowestPort + rand.IntN(highestPort-lowestPort); isFree(port) {
			return port, nil
		}
	}
	return 0, errors.New("throwaway: no free port")
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
