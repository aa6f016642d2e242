package cmd

import (
	"fmt"
	"sync"
	"time"
)

// patienceOf is how long a person looks at a terminal that says nothing.
const patienceOf = time.Second

// meanwhile tells a person at a terminal what is being waited for, once it takes longer than they like, until stop: then the
// line is gone. stop may be called twice.
func (d *Deps) meanwhile(what string) (stop func()) {
	if !d.Terminal() || d.Width() == 0 || d.plain() {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTimer(patienceOf)
		defer t.Stop()
		select {
		case <-over:
			return
		case <-t.C:
		}
		fmt.Fprintf(d.Err, "%s …", what)
		<-over
		fmt.Fprint(d.Err, "\r\x1b[K")
	}()
	return sync.OnceFunc(func() {
		close(over)
		<-ended
	})
}
