package cmd

import "regexp"

// sdkChain is what the AWS SDK says it has been through before a request that no answer came to: none of it helps.
var sdkChain = regexp.MustCompile(`(?:operation error [\w ]+: \w+, )?(?:exceeded maximum number of attempts, \d+, )?https response error StatusCode: 0, RequestID: , (?:request send failed|canceled), ` +
	`|operation error [\w ]+: \w+, get identity: get credentials: (?:failed to refresh cached credentials, )?`)

// withoutChain is an error's text with its beginning and its end: the operation, and why AWS was not reached.
func withoutChain(text string) string { return sdkChain.ReplaceAllString(text, "") }
