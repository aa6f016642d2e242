package journal

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// surroundings reads what a pid is worth something in; what cannot be read is empty. See proc(5), machine-id(5) and
// pid_namespaces(7).
func surroundings() (boot, machine, space string) {
	space, _ = os.Readlink("/proc/self/ns/pid")
	return line("/proc/sys/kernel/random/boot_id"), line("/etc/machine-id"), space
}

// gone says that no process has this pid; one of another user, which we may not look at, is not gone.
func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

// startOf reads when a process started, in clock ticks after boot, and whether it has ended but is not yet waited for.
func startOf(pid int) (start string, zombie bool) {
	stat := line(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	// The name of the program stands in brackets and may hold anything, brackets and spaces too.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const state, starttime = 0, 19 // fields 3 and 22 of the file
	if len(fields) <= starttime {
		return "", false
	}
	return fields[starttime], fields[state] == "Z" || fields[state] == "X"
}

func line(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
