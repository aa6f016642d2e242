// Package privilege holds the policies that firedrill writes against the calls that it makes: no call without its line,
// no line without its call. The sandbox's IAM judges each call as it comes.
package privilege
