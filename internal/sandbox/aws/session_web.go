package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

type webIdentityInput struct {
	RoleArn, RoleSessionName, WebIdentityToken string
	DurationSeconds                            int
}

type webAssumedRole struct {
	assumedRole

	Audience, Provider, SubjectFromWebIdentityToken string
}

// assumeByToken gives out a session of a role to whoever shows a token of a CI: of any, unsigned as it may be, but made for
// STS and not ended. Its subject says whose session it is: one of our own keys' owners, or somebody else.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func (s *stsService) assumeByToken(ctx context.Context, who caller, in *webIdentityInput) (*webAssumedRole, error) {
	var claims struct {
		Aud, Sub, Iss string
		Exp           int64
	}
	parts := strings.Split(in.WebIdentityToken, ".")
	ok := len(parts) == 3
	if ok {
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		ok = err == nil && json.Unmarshal(payload, &claims) == nil
	}
	switch {
	case !ok:
		return nil, &apiError{Code: "InvalidIdentityToken", Message: "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"}
	case claims.Aud != "sts.amazonaws.com":
		return nil, &apiError{Code: "InvalidIdentityToken", Message: "Incorrect token audience"}
	case !s.d.now().Before(time.Unix(claims.Exp, 0)):
		return nil, &apiError{Code: "ExpiredTokenException", Message: "Token expired: current date/time must be before the expiration date/time", Status: http.StatusBadRequest}
	}
	who.By = "other"
	for _, known := range s.d.options.Keys {
		if claims.Sub == known {
			who.By = known
		}
	}
	out, err := s.assume(ctx, who, &assumeInput{RoleArn: in.RoleArn, RoleSessionName: in.RoleSessionName, DurationSeconds: in.DurationSeconds})
	if err != nil {
		return nil, err
	}
	return &webAssumedRole{assumedRole: *out, Audience: claims.Aud, Provider: claims.Iss, SubjectFromWebIdentityToken: claims.Sub}, nil
}
