package aws

import (
	"errors"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"
)

func TestSafetyLever(t *testing.T) {
	_, url := testCloud(t, Options{})
	lever := fis.NewFromConfig(testConfig(url, "other"))
	at := func(want types.SafetyLeverStatus, reason string) {
		t.Helper()
		out, err := lever.GetSafetyLever(t.Context(), &fis.GetSafetyLeverInput{Id: awssdk.String("default")})
		if err != nil {
			t.Fatal(err)
		}
		if s := out.SafetyLever.State; s.Status != want || awssdk.ToString(s.Reason) != reason {
			t.Errorf("lever is %s (%s), want %s (%s)", s.Status, awssdk.ToString(s.Reason), want, reason)
		}
	}
	move := func(to types.SafetyLeverStatusInput, reason string) error {
		_, err := lever.UpdateSafetyLeverState(t.Context(), &fis.UpdateSafetyLeverStateInput{Id: awssdk.String("default"),
			State: &types.UpdateSafetyLeverStateInput{Status: to, Reason: awssdk.String(reason)}})
		return err
	}
	at(types.SafetyLeverStatusDisengaged, "")
	if err := move(types.SafetyLeverStatusInputEngaged, "an incident"); err != nil {
		t.Fatal(err)
	}
	at(types.SafetyLeverStatusEngaged, "an incident")
	var conflict *types.ConflictException
	if err := move(types.SafetyLeverStatusInputEngaged, "again"); !errors.As(err, &conflict) {
		t.Errorf("engaged twice: %v", err)
	}
	var invalid *types.ValidationException
	if err := move(types.SafetyLeverStatusInputDisengaged, " "); !errors.As(err, &invalid) {
		t.Errorf("moved without a reason: %v", err)
	}
	if err := move(types.SafetyLeverStatusInputDisengaged, "over"); err != nil {
		t.Fatal(err)
	}
	at(types.SafetyLeverStatusDisengaged, "over")
	var none *types.ResourceNotFoundException
	if _, err := lever.GetSafetyLever(t.Context(), &fis.GetSafetyLeverInput{Id: awssdk.String("mine")}); !errors.As(err, &none) {
		t.Errorf("another lever: %v", err)
	}
}
