package journal

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

func us(t *testing.T) Holder {
	t.Helper()
	h, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSelf(t *testing.T) {
	h := us(t)
	if h.Host == "" || h.PID != os.Getpid() {
		t.Errorf("self = %+v", h)
	}
	if runtime.GOOS == "linux" && (h.Boot == "" || h.Start == "" || h.Space == "") {
		t.Errorf("nothing could be proven of %+v", h)
	}
	if again := us(t); again != h {
		t.Errorf("self = %+v, then %+v", h, again)
	}
}

func TestAlive(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the table is written for Linux")
	}
	self := us(t)
	self.Machine = "this machine" // whatever this system calls itself
	with := func(change func(h *Holder)) Holder {
		h := self
		change(&h)
		return h
	}
	for name, c := range map[string]struct {
		h    Holder
		want Liveness
	}{
		"ourselves":               {self, Living},
		"our pid, another start":  {with(func(h *Holder) { h.Start = "1" }), Dead},
		"our pid, start unknown":  {with(func(h *Holder) { h.Start = "" }), Unsure},
		"no such pid":             {with(func(h *Holder) { h.PID = 1 << 30 }), Dead},
		"no pid":                  {with(func(h *Holder) { h.PID = 0 }), Unsure},
		"negative pid":            {with(func(h *Holder) { h.PID = -1 }), Unsure},
		"another host":            {with(func(h *Holder) { h.Host = "elsewhere"; h.PID = 1 << 30 }), Unsure},
		"another boot":            {with(func(h *Holder) { h.Boot = "before" }), Dead},
		"a machine of like name":  {with(func(h *Holder) { h.Boot, h.Machine = "before", "other" }), Unsure},
		"another pid namespace":   {with(func(h *Holder) { h.Space = "pid:[1]"; h.PID = 1 << 30 }), Unsure},
		"boot unknown":            {with(func(h *Holder) { h.Boot = "" }), Unsure},
		"the first process":       {with(func(h *Holder) { h.PID = 1; h.Start, _ = startOf(1) }), Living},
		"nobody":                  {Holder{}, Unsure},
		"only the name is known":  {Holder{Host: self.Host}, Unsure},
		"a stranger on this host": {Holder{Host: self.Host, Boot: "before", PID: 1}, Unsure},
	} {
		if got := Alive(c.h, self); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	unnamed := with(func(h *Holder) { h.Machine = "" })
	old := with(func(h *Holder) { h.Machine, h.Boot = "", "before" })
	if got := Alive(old, unnamed); got != Unsure {
		t.Errorf("another boot of a machine without id: %v, want unsure", got)
	}
}

// TestAliveOfChild: a process is alive while it runs, and dead once killed, before and after it is waited for.
func TestAliveOfChild(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("nothing can be proven of processes on this system")
	}
	child := exec.Command("cat")
	in, err := child.StdinPipe() // it reads until we let go
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	h := us(t)
	h.PID = child.Process.Pid
	h.Start, _ = startOf(h.PID)
	if got := Alive(h, us(t)); got != Living {
		t.Errorf("running: %v", got)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err == nil { // its end closes the pipe
		t.Error("the child spoke")
	}
	for Alive(h, us(t)) != Dead { // the pipe closes a moment before the process is through
		if t.Context().Err() != nil {
			t.Fatal("killed, and never dead")
		}
		runtime.Gosched()
	}
	_ = child.Wait()
	if got := Alive(h, us(t)); got != Dead {
		t.Errorf("killed and buried: %v", got)
	}
}
