package aws

import (
	"context"
	"time"
)

// Point-in-time recovery is a switch here: nothing is ever restored. A table in the making has none yet, as on AWS.

type backupsInput struct {
	TableName                        string
	PointInTimeRecoverySpecification struct {
		PointInTimeRecoveryEnabled bool
		RecoveryPeriodInDays       *int64
	}
}

type pointInTimeDescription struct {
	PointInTimeRecoveryStatus                            string
	EarliestRestorableDateTime, LatestRestorableDateTime *time.Time
	RecoveryPeriodInDays                                 *int64
}

type backupsDescription struct {
	ContinuousBackupsStatus        string
	PointInTimeRecoveryDescription pointInTimeDescription
}

type backupsOutput struct {
	ContinuousBackupsDescription backupsDescription
}

func (s *dynamodbService) describeBackups(_ context.Context, _ caller, in *tableInput) (*backupsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	t, err := s.findNamed(in.TableName, now)
	if err != nil {
		return nil, err
	}
	return t.backups(now), nil
}

func (s *dynamodbService) updateBackups(_ context.Context, _ caller, in *backupsInput) (*backupsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	t, err := s.findNamed(in.TableName, now)
	if err != nil {
		return nil, err
	}
	if t.status == "CREATING" {
		return nil, &apiError{Code: "ContinuousBackupsUnavailableException", Message: "Backups are being enabled for the table: " + t.name + ". Please retry later"}
	}
	wish := in.PointInTimeRecoverySpecification
	days := int64(35)
	if wish.RecoveryPeriodInDays != nil {
		days = *wish.RecoveryPeriodInDays
	}
	if days < 1 || days > 35 {
		return nil, invalid("RecoveryPeriodInDays must be between 1 and 35")
	}
	switch {
	case !wish.PointInTimeRecoveryEnabled:
		t.recoverable, t.recoveryDays = time.Time{}, 0
	case t.recoverable.IsZero():
		t.recoverable, t.recoveryDays = now, days
	default:
		t.recoveryDays = days
	}
	return t.backups(now), nil
}

// findNamed is find with the error that the calls about backups have.
func (s *dynamodbService) findNamed(name string, now time.Time) (*table, error) {
	t, err := s.find(name, now)
	if err != nil {
		return nil, &apiError{Code: "TableNotFoundException", Message: "Table not found: " + name}
	}
	return t, nil
}

func (t *table) backups(now time.Time) *backupsOutput {
	d := backupsDescription{ContinuousBackupsStatus: "ENABLED", PointInTimeRecoveryDescription: pointInTimeDescription{PointInTimeRecoveryStatus: "DISABLED"}}
	if !t.recoverable.IsZero() {
		from, days := t.recoverable, t.recoveryDays
		d.PointInTimeRecoveryDescription = pointInTimeDescription{PointInTimeRecoveryStatus: "ENABLED",
			EarliestRestorableDateTime: &from, LatestRestorableDateTime: &now, RecoveryPeriodInDays: &days}
	}
	return &backupsOutput{d}
}
