package cmd

import (
	"charm.land/lipgloss/v2"

	"github.com/firedrill/firedrill/internal/journal"
)

// palette colours what happened by what it means; nil colours nothing.
type palette map[journal.Kind]lipgloss.Style

// grey is the key of what is only there to be looked up.
const grey journal.Kind = ""

// colours is the palette for a terminal: red while it hurts, yellow for people and alarms, green for good again.
func colours() palette {
	style := func(c string) lipgloss.Style { return lipgloss.NewStyle().Foreground(lipgloss.Color(c)) }
	red, yellow, green, blue := style("9").Bold(true), style("11"), style("10"), style("12")
	return palette{
		grey: lipgloss.NewStyle().Faint(true),

		journal.FaultApplied: red, journal.FaultEffective: red, journal.FaultApplyFailed: red, journal.FaultRevertFailed: red,
		journal.AbortRequested: red, journal.GuardRefused: red,
		journal.AlarmFired: yellow, journal.IncidentOpened: yellow, journal.IncidentNotified: yellow, journal.PageSent: yellow,
		journal.IncidentAcknowledged: blue, journal.IncidentNoted: blue, journal.NoteWritten: blue, journal.NoteSent: blue,
		journal.AlarmCleared: green, journal.FaultCeased: green, journal.FaultReverted: green, journal.FaultSettled: green,
		journal.IncidentResolved: green, journal.RunFinished: lipgloss.NewStyle().Bold(true),
	}
}

func (p palette) of(kind journal.Kind, text string) string {
	if style, ok := p[kind]; ok {
		return style.Render(text)
	}
	return text
}

func (p palette) dim(text string) string { return p.of(grey, text) }
