package observe

// Problem is an error in plain words. The next step stands apart, so that a printer can put it on a line of its own.
type Problem struct {
	Op     string // what we were about to do: "send page"
	Why    string // "401: the token is wrong, or is not of region us"
	Try    string // the next step, empty when we know none
	Status int    // HTTP status, 0 when there was no answer
	Err    error  // the cause; errors.Is sees it, and no secret is in its text
}

func (p *Problem) Error() string { return p.Op + ": " + p.Why }

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Err }
