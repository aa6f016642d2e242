package journal

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// surroundings reads the id of the boot session. kern.boottime is no use for it: it moves when the clock is set.
func surroundings() (boot, machine, space string) {
	boot, _ = unix.Sysctl("kern.bootsessionuuid")
	return boot, "", ""
}

// gone says that no process has this pid; one of another user is not gone.
func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

// startOf reads when a process started, and whether it has ended but is not yet waited for.
func startOf(pid int) (start string, zombie bool) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return "", false
	}
	const zombieState = 5 // SZOMB in sys/proc.h
	t := p.Proc.P_starttime
	return fmt.Sprintf("%d.%06d", t.Sec, t.Usec), p.Proc.P_stat == zombieState
}
