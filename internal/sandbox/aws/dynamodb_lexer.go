package aws

import "strings"

// maxExpression is AWS's limit of an expression, in bytes.
const maxExpression = 4096

// token is a word of an expression: a name, #placeholder, :value, operator, comma or parenthesis.
type token string

// lex cuts an expression into tokens; what DynamoDB's grammar does not have, and what the sandbox does not
// evaluate, is refused.
func lex(s string) ([]token, error) {
	if len(s) > maxExpression {
		return nil, invalid("Invalid expression: Expression size has exceeded the maximum allowed size;")
	}
	var out []token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.HasPrefix(s[i:], "<>") || strings.HasPrefix(s[i:], "<=") || strings.HasPrefix(s[i:], ">="):
			out = append(out, token(s[i:i+2]))
			i += 2
		case strings.IndexByte("=<>(),+-.", c) >= 0:
			out = append(out, token(s[i:i+1]))
			i++
		case wordByte(c) || c == '#' || c == ':':
			j := i + 1
			for j < len(s) && wordByte(s[j]) {
				j++
			}
			out = append(out, token(s[i:j]))
			i = j
		default:
			return nil, invalid("Invalid expression: Syntax error; token: \"" + string(c) + "\"")
		}
	}
	return out, nil
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// word compares a keyword, whose case does not matter.
func (t token) word(s string) bool { return strings.EqualFold(string(t), s) }
