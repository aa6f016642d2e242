package cmd

import "github.com/firedrill/firedrill/observe/debrief"

// storyWall is what people put on the wall, in notes while the drill was on and in answers after it.
type storyWall struct {
	Crappy  []storyQuote  `json:"crappy"`
	Awesome []storyQuote  `json:"awesome"`
	Actions []storyAction `json:"actions"`
}

// storyAction is something that somebody wants done.
type storyAction struct {
	Who   string `json:"who"`
	Text  string `json:"text"`
	Owner string `json:"owner,omitempty"` // as they wrote it: @ann
	Due   string `json:"due,omitempty"`   // 2026-12-01
}

func wallOf(w debrief.Wall) storyWall {
	out := storyWall{quotesOf(w.Crappy), quotesOf(w.Awesome), []storyAction{}}
	for _, a := range w.Actions {
		out.Actions = append(out.Actions, storyAction(a))
	}
	return out
}
