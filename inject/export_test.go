package inject

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

// RefuseTable lets tests ask about tables the sandbox cannot have.
func RefuseTable(t types.TableDescription) error { return refuseTable(table{t}) }
