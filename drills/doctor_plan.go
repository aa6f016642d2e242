package drills

import (
	"context"
	"errors"
	"slices"
	"time"
)

// plans makes the plan of every drill that nothing stands against so far, as run would: whatever a plan refuses is told
// here, if nowhere else.
func (e *exam) plans(ctx context.Context, _ *Steps) []Finding {
	return gathered(sideBySide(len(e.x.Drills), func(i int) []Finding {
		spec := e.x.Drills[i]
		return of(spec.Drill, e.planned(ctx, spec))
	}))
}

func (e *exam) planned(ctx context.Context, spec *Spec) []Finding {
	if against(e.told, spec.Drill) {
		return unseen(spec.Drill, "mend what stands above first")
	}
	st := e.st.beside()
	st.World.Marker = nil                            // what incidents are called refuses nothing
	st.Env, st.World.Trail = e.st.Env.AnyTime(), nil // whether the window is open was told; who has changed a target in the last minutes is told slowly, and is no matter of set-up
	_, err := st.Make(ctx, spec, e.x.Run)
	var no *Refusal
	switch {
	case errors.As(err, &no):
		return []Finding{no.finding(spec.Drill, "")}
	case err != nil:
		return []Finding{wrong(spec.Drill, "firedrill plan "+spec.Drill+" --env "+e.st.Env.Name, "%v", err)}
	}
	return []Finding{well(spec.Drill, "a plan can be made")}
}

// AnyTime is an environment whose window is always open, for whoever asks what else stands in the way: one that is closed now
// would hide it.
func (e *Environment) AnyTime() *Environment {
	open := *e
	if e.Window != nil {
		const always = 24 * time.Hour
		open.Window = &Window{Days: map[time.Weekday]bool{}, To: always, Zone: e.Window.Zone, Text: e.Window.Text}
		for d := time.Sunday; d <= time.Saturday; d++ {
			open.Window.Days[d] = true
		}
		open.Holidays, open.Freezes = nil, nil
	}
	return &open
}

// against says that something which keeps a drill from running was found, of that drill or of them all.
func against(list []Finding, drill string) bool {
	return slices.ContainsFunc(list, func(f Finding) bool {
		return (f.Health == Wrong || f.refuses) && (len(f.Drills) == 0 || slices.Contains(f.Drills, drill))
	})
}
