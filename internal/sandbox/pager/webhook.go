package pager

import "time"

func (p *Pager) announce(*incident, *entry)                      {}
func (p *Pager) announceWorkflow(*incident, Workflow, time.Time) {}
